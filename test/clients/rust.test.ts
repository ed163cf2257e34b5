import { clientSuite } from "./suite.js";
import { rust } from "./support/toolchains.js";

await clientSuite(rust);
