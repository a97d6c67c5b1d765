/** A certificate for localhost and 127.0.0.1, its key, and the authority that signed it. */
export {
  AUTHORITY as CA_CERT,
  KEY as SERVER_KEY,
  LOOPBACK as SERVER_CERT,
} from "./certificates.ts";
