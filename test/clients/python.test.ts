import { clientSuite } from "./suite.js";
import { python } from "./support/toolchains.js";

await clientSuite(python);
