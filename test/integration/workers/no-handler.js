/** Has no default export. */
export const handler = () => {};
