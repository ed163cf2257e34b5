import { clientSuite, furtherSuite } from "./suite.js";
import { javascript } from "./support/toolchains.js";

await clientSuite(javascript);
await furtherSuite(javascript);
