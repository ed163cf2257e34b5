export type { Fault, Faults } from "./faults.js";
export { MemoryLink } from "./link.js";
export { DEFAULT_START, MachineClock, ManualClock, settled } from "./manual-clock.js";
export { type MemoryPorts, openMemoryPorts } from "./open.js";
export { MemoryServer, type MemoryServerOptions } from "./server.js";
export { MemoryStream, type NewMessage, type StoreAnswer, type StreamSettings } from "./stream.js";
