/**
 * Serves every client of a listener until it is closed. A client that goes away half-way ends its own
 * connection and nothing else.
 */
export async function acceptClients(
  listener: Deno.TcpListener,
  serve: (connection: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  for await (const connection of listener) {
    serve(connection).catch(() => {}).finally(() => close(connection));
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // The client had gone already.
  }
}

/** Writes all of it. */
export async function writeAll(
  connection: Pick<Deno.TcpConn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await connection.write(bytes.subarray(written));
  }
}
