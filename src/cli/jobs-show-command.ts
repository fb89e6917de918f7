import type { Command } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { readJob } from "./job-id.ts";
import { jobLines } from "./job-lines.ts";

export const jobsShowCommand: Command = {
  name: "jobs show",
  summary: "Print what is known of a job",
  usage: "<id> [options]",
  description: `Prints a job: its status, when it was made and changed, why it did not complete,
how far it is or what it came to, and what it was asked to do.`,
  options: [],
  examples: [["lodestore jobs show 0199f0c2a1b47d3e8f00112233445566 --json | jq .progress", "For programs"]],
  run: async (args, terminal) => {
    const job = await readJob(args, terminal);
    if (terminal.json) terminal.printJson(job);
    else terminal.print(...jobLines(job, terminal));
    return EXIT.ok;
  },
};
