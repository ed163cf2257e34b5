/** Builds the images of the container tests and prints their names, one a line. Run by hand with tsx. */
import { natsImage, nodeImage, productImage } from "../support/images.js";

for (const build of [natsImage, nodeImage, productImage]) console.log(await build());
