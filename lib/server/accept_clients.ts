/** Serves clients until the listener is closed. An error ends only the connection it occurs on. */
export async function acceptClients(
  listener: Deno.TcpListener,
  serve: (connection: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  for await (const connection of listener) {
    // Disposing, unlike close(), allows for a connection that is closed already.
    serve(connection).catch(() => {}).finally(() => connection[Symbol.dispose]());
  }
}

/** Writes all bytes, in several writes if need be. */
export async function writeAll(
  connection: Pick<Deno.TcpConn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await connection.write(bytes.subarray(written));
  }
}
