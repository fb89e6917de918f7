/** The version in package.json, which a browser does not read; a test compares them. */
export const PACKAGE_VERSION = "0.1.0";
