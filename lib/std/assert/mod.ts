// The code of jsr:@std/assert from npm, for when JSR is unreachable.

// @ts-types="./mod.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
