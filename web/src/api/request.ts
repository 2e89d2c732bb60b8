import { ProblemError } from "@/lib/problem";

/** An error that the gateway answered, in its own words. */
export class ApiError extends ProblemError {
  readonly code: string;
  readonly status: number;
  readonly field: string | undefined;

  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

type Query = Record<string, string | number | boolean | undefined | null>;

interface Options {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** A path with its query; what is undefined, null or empty is left out. */
export function address(path: string, query?: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; field: string | null } };
    return new ApiError(response.status, error.code, error.message, error.field ?? undefined);
  } catch {
    return new ApiError(
      response.status,
      "no_reason",
      `The gateway answered ${response.status} without saying why.`,
    );
  }
}

/** A response of the gateway, when it is a good one. */
export async function fetchOk(path: string, options: Options = {}): Promise<Response> {
  const { method = "GET", query, body, headers, signal } = options;
  const response = await fetch(address(path, query), {
    method,
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  if (!response.ok) throw await refusal(response);
  return response;
}

/** What an endpoint of the gateway answers. */
export async function request<T>(path: string, options: Options = {}): Promise<T> {
  const response = await fetchOk(path, options);
  if (response.status === 204) return undefined as T;
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) {
    throw new ApiError(response.status, "no_json", "The gateway's answer is no JSON; is its version older?");
  }
  return (await response.json()) as T;
}
