export { untilAborted } from "../contracts/until-aborted.ts";
