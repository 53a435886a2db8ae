// The real programs, on loopback, in a folder of their own.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { request } from "node:http";
import { waitFor } from "./wait.ts";

/** Of the repository, seen from where this file is compiled to. */
const ROOT = resolve(fileURLToPath(new URL(".", import.meta.url)), "../../../..");
const BINARIES = process.env["PATTOO_BINARIES"] ?? join(ROOT, "target/debug");
const SERVER = "pattood";
const HUB = "pattoo_agent_linux_hubd";
const SPOKE = "pattoo_agent_linux_spoked";
const STOP_MS = 15_000;

export const FIXTURES = join(ROOT, "tests/fixtures");

export function binary(name: string): string {
  const path = join(BINARIES, name);
  if (!existsSync(path)) throw new Error(`${path} is not there: cargo build, or set PATTOO_BINARIES`);
  return path;
}

/** A program that runs. */
export class Program {
  private child: ChildProcess | null = null;

  constructor(private readonly name: string, private readonly folder: string) {}

  start(): void {
    if (this.child) throw new Error(`${this.name} runs already`);
    const child = spawn(binary(this.name), ["--foreground"], { env: environment(this.folder), stdio: ["ignore", "ignore", "pipe"] });
    // What it says is of interest where it ends before its time.
    let said = "";
    child.stderr?.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2_000)));
    child.on("exit", (code) => {
      if (this.child === child) console.error(`${this.name} ended by itself with ${code}: ${said}`);
    });
    this.child = child;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((end) => child.once("exit", end));
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(late);
  }
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, PATTOO_CONFIGDIR: join(folder, "etc") };
}

/** So many, all of them held until the last is found: none is given twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) await new Promise((closed) => server.close(closed));
  return ports;
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** A server, and what was started around it. `stop` ends all and removes the folder. */
export class System {
  readonly server: Program;
  private readonly around: Program[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "pattoo-page-"));

  private constructor(readonly agentPort: number, readonly webPort: number) {
    this.server = new Program(SERVER, this.configure("server", { "pattoo_server.yaml": serverYaml(agentPort, webPort) }));
  }

  static async start(): Promise<System> {
    const [agentPort = 0, webPort = 0] = await freePorts(2);
    const system = new System(agentPort, webPort);
    system.server.start();
    await system.answers();
    return system;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.webPort}`;
  }

  address(path: string): string {
    return `${this.origin}/pattoo/${path}`;
  }

  async answers(): Promise<void> {
    await waitFor("the server answers", async () => (await get(this.webPort, "/pattoo/api/v1/web/status")) === 200);
  }

  /** A spoke of this machine, or of a tree of fixtures; it is not started. */
  async spoke(fixture?: string): Promise<{ program: Program; port: number }> {
    const port = await freePort();
    const tree = fixture === undefined ? "" : join(FIXTURES, fixture);
    const roots = tree === "" ? "" : `hostname: ${fixture}\nproc_directory: ${tree}/proc\nsys_directory: ${tree}/sys\nroot_directory: ${tree}\n`;
    const text = `ip_listen_address: 127.0.0.1\nip_bind_port: ${port}\n${roots}`;
    const program = new Program(SPOKE, this.configure(`spoke-${port}`, { [`${SPOKE}.yaml`]: text }));
    this.around.push(program);
    return { program, port };
  }

  /** A hub that polls these ports each second; it is not started. */
  hub(ports: number[]): Program {
    const devices = ports.map((port) => `  - ip_address: 127.0.0.1\n    ip_bind_port: ${port}\n`).join("");
    const text = `polling_interval: 1\nip_devices:\n${devices}`;
    const program = new Program(HUB, this.configure("hub", { [`${HUB}.yaml`]: text }));
    this.around.push(program);
    return program;
  }

  /** Creates a user, as on the server's machine. */
  createUser(name: string, password: string): void {
    const words = ["create", "user", "--username", name, "--name", name];
    const env = environment(join(this.folder, "server"));
    const done = spawnSync(binary("pattoo_cli"), words, { env, encoding: "utf8", input: `${password}\n` });
    if (done.status !== 0) throw new Error(`pattoo_cli ${words.join(" ")}: ${done.stderr || done.stdout}`);
  }

  /** From its next start on, the server shows its figures to everyone. */
  letEveryoneRead(): void {
    this.configure("server", { "pattoo_server.yaml": `${serverYaml(this.agentPort, this.webPort)}  reading_needs_sign_in: false\n` });
  }

  /** What the server says in its log. */
  log(): string {
    const path = join(this.folder, "server/log/pattood.log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  async stop(): Promise<void> {
    await Promise.all(this.around.map((program) => program.stop()));
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private configure(name: string, files: Record<string, string>): string {
    const folder = join(this.folder, name);
    mkdirSync(join(folder, "etc"), { recursive: true });
    const common = `pattoo:
  log_directory: ${folder}/log
  log_level: debug
  cache_directory: ${folder}/cache
  daemon_directory: ${folder}/state
  system_daemon_directory: ${folder}/run
pattoo_agent_api:
  ip_address: 127.0.0.1
  ip_bind_port: ${this.agentPort}
`;
    for (const [file, text] of Object.entries({ "pattoo.yaml": common, ...files })) writeFileSync(join(folder, "etc", file), text);
    return folder;
  }
}

function serverYaml(agentPort: number, webPort: number): string {
  const at = (port: number) => `  ip_listen_address: 127.0.0.1\n  ip_bind_port: ${port}\n`;
  return `pattoo_api_agentd:\n${at(agentPort)}pattoo_apid:\n${at(webPort)}`;
}

function get(port: number, path: string): Promise<number> {
  return new Promise((answer) => {
    const asked = request({ host: "127.0.0.1", port, path, timeout: 2_000 }, (response) => {
      response.resume();
      answer(response.statusCode ?? 0);
    });
    asked.on("error", () => answer(0));
    asked.on("timeout", () => asked.destroy());
    asked.end();
  });
}
