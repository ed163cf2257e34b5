import { clientSuite, furtherSuite } from "./suite.js";
import { python } from "./support/toolchains.js";

await clientSuite(python);
await furtherSuite(python);
