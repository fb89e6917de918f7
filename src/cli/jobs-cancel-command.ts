import type { Command } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { readJob, useJob } from "./job-id.ts";
import { jobLines } from "./job-lines.ts";

export const jobsCancelCommand: Command = {
  name: "jobs cancel",
  summary: "Cancel a job that nobody works on any more",
  usage: "<id> [options]",
  description: `Cancels a job that was interrupted, so that nobody goes on with it. What it did
stays. A job that another process works on is cancelled in that process: Ctrl-C
ends a command, and a program cancels its own with store.jobs.cancel.`,
  options: [],
  examples: [["lodestore jobs cancel 0199f0c2a1b47d3e8f00112233445566", "It is not resumed any more"]],
  run: async (args, terminal) => {
    const { id } = await readJob(args, terminal);
    const job = await useJob(args, terminal, ({ jobs }) => jobs.cancel(id));
    if (terminal.json) terminal.printJson(job);
    else terminal.print(...jobLines(job, terminal));
    return EXIT.ok;
  },
};
