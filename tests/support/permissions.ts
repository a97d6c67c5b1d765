/** True if one of these permissions is missing: tests that need it are ignored. */
export function lacks(...names: Deno.PermissionDescriptor["name"][]): boolean {
  return names.some((name) =>
    Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state !== "granted"
  );
}
