import { spawn } from "node:child_process";

/**
 * Runs a command to its end and returns what it wrote to stdout.
 *
 * @throws Error with everything it wrote, when it ends with another code than 0.
 */
export function runCommand(command: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let everything = "";
    child.stdout.on("data", (data: Buffer) => {
      stdout += data.toString();
      everything += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => {
      everything += data.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}:\n${everything}`));
    });
  });
}

/** Runs npm, the one this process was started by where there is one. */
export function runNpm(args: readonly string[], cwd: string): Promise<string> {
  const npm = process.env["npm_execpath"];
  return npm === undefined ? runCommand("npm", args, cwd) : runCommand(process.execPath, [npm, ...args], cwd);
}
