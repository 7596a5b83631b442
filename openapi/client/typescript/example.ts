// What a caller would write. It is compiled with the types of either document: `./schema` is the one under test.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

type Environment = components["schemas"]["Environment"];
type Problem = components["schemas"]["Problem"];

const berth = createClient<paths>({ baseUrl: "http://127.0.0.1:8080", headers: { Authorization: "Bearer TOKEN" } });

/** Asks for an environment and waits until it is ready. */
export async function provide(name: string): Promise<Environment> {
  const created = await berth.POST("/environments", {
    params: { header: { "Idempotency-Key": name } },
    body: { name, task_definition: "hello", desired_count: 2, ttl: "8h", labels: { by: "example" } },
  });
  if (created.error) throw new Error(problem(created.error));
  let environment = created.data;
  for (;;) {
    const wait: number | null | undefined = environment.retry_after_seconds;
    if (wait == null) return environment;
    await new Promise((resume) => setTimeout(resume, wait * 1000));
    const seen = await berth.GET("/environments/{id}", { params: { path: { id: environment.id } } });
    if (seen.error) throw new Error(problem(seen.error));
    environment = seen.data;
  }
}

/** What is waiting, and for what. */
export function waiting(environment: Environment): string[] {
  return environment.steps
    .filter((step) => step.state === "waiting")
    .map((step) => `${step.name}: ${step.why ?? "?"} (place ${step.queue?.place ?? "-"})`);
}

/** The team's ready environments, of all pages. */
export async function ready(): Promise<string[]> {
  const names: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await berth.GET("/environments", { params: { query: { status: "ready", limit: 100, cursor } } });
    if (page.error) throw new Error(problem(page.error));
    names.push(...page.data.environments.map((environment) => environment.name));
    if (page.data.next_cursor == null) return names;
    cursor = page.data.next_cursor;
  }
}

function problem({ code, detail, errors }: Problem): string {
  return [`${code}: ${detail}`, ...(errors ?? []).map((field) => `${field.pointer} ${field.detail}`)].join("\n");
}

// What must not compile. `tsc` fails where one of these lines is not an error.
// @ts-expect-error a name is required
const nameless: components["schemas"]["EnvironmentRequest"] = { task_definition: "hello" };
// @ts-expect-error there is no such status
const asleep: Environment["status"] = "asleep";
// @ts-expect-error a failure may be null
const step = (environment: Environment): string => environment.failure.step;
// @ts-expect-error there is no such path
void berth.GET("/environment");
export const refused = [nameless, asleep, step];
