import { clientSuite } from "./suite.js";
import { java } from "./support/toolchains.js";

await clientSuite(java);
