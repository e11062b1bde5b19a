import type { WorkloadPresetName } from '../src/endpoint/auth/workload-presets.ts'

/** What tokens of each platform are easily trusted for by mistake, for the table in docs/workloads.md. */
export const WORKLOAD_ADVICE: Readonly<Record<WorkloadPresetName, readonly string[]>> = {
  'github-actions': [
    'Prefer repository_id and repository_owner_id to names: a name that was given up can be registered by somebody else.',
    'The sub of repositories created, renamed or transferred since 15 July 2026 holds the ids as well: repo:octo-org@65/octo-repo@74:ref:refs/heads/main. Listing the ids instead of sub works for all repositories.',
    'Without ref or environment, every branch matches, and every pull request from a branch of the repository.',
    'A workflow on pull_request_target has the ref of the base branch, though a fork started it: list event_name if the repository has one.',
    'environment alone lets every branch in that the rules of the environment allow: restrict them, or list ref as well.',
  ],
  'gitlab-ci': [
    'Prefer project_id and namespace_id to paths: a path can be reused after a project was moved.',
    'List ref_protected: "true" besides ref, so that only people who may push to the protected branch count; and ref_type, since a tag can have the name of a branch.',
  ],
  'google-cloud': [
    'This issuer also signs in every Google user: list sub, the unique id of the service account, or its email.',
    'The address of a deleted service account can be created again; its unique id cannot.',
  ],
  kubernetes: [
    'The issuer is that of the cluster: kubectl get --raw /.well-known/openid-configuration. Where it is not reachable, put the output of kubectl get --raw /openid/v1/jwks into jwks, and replace it when the cluster rotates its keys.',
    'List the namespace together with the name: a service account called deploy can exist in every namespace.',
    'Use a projected token with an audience of its own; the default token of a pod is for the API server.',
  ],
  azure: [
    'List oid, the object id of the managed identity or service principal. azp (appid in version 1) alone also matches users of that application.',
    'The issuer of version 1 tokens is https://sts.windows.net/<tenant>/, with the slash: which version a token has is a setting of the API that it is for.',
  ],
  vercel: [
    'List environment: preview deployments run whatever is on a branch, and development tokens are on laptops.',
    'The global issuer https://oidc.vercel.com serves all teams: list owner_id or project_id.',
  ],
  fly: [
    'Prefer app_id to app_name: the name of a deleted app can be used again.',
    'sub is <organization>:<app>:<machine>, so it changes with every machine: list app_id instead.',
  ],
  circleci: [
    'List oidc.circleci.com/ssh-rerun: false, so that nobody takes a token out of a job that was rerun with SSH.',
    'Builds of pull requests from forks get tokens only if secrets are passed to them: leave that setting off.',
  ],
}
