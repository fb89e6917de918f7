// The same tests as on Node, in a browser's page.
import "./sql-memory.test.ts";
