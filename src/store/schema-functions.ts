import type { SqlFunctions } from "../contracts/sql.ts";
import { filterFunctions } from "./document-filter.ts";
import { searchFunctions } from "./search/terms.ts";

/** The SQL functions that the schema and the stores call; entry points hand them to the SQL driver. */
export const storeFunctions: SqlFunctions = { ...searchFunctions, ...filterFunctions };
