import { clientSuite } from "./suite.js";
import { go } from "./support/toolchains.js";

await clientSuite(go);
