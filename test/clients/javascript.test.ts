import { clientSuite } from "./suite.js";
import { javascript } from "./support/toolchains.js";

await clientSuite(javascript);
