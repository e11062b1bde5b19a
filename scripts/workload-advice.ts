import type { WorkloadPresetName } from '../src/endpoint/auth/workload-presets.ts'

/** Common mistakes with each platform's tokens, for the table in docs/workloads.md. */
export const WORKLOAD_ADVICE: Readonly<Record<WorkloadPresetName, readonly string[]>> = {
  'github-actions': [
    'Prefer repository_id and repository_owner_id to names: somebody else can register a name that is no longer used.',
    'For repositories created, renamed or transferred since 15 July 2026, sub also contains the ids: repo:octo-org@65/octo-repo@74:ref:refs/heads/main. Listing the ids instead of sub works for all repositories.',
    'Without ref or environment, every branch matches, and every pull request from a branch of the same repository.',
    'A pull_request_target workflow has the ref of the base branch even if a fork triggered it: list event_name if the repository has such a workflow.',
    'With environment alone, every branch that the environment allows matches: restrict its branches, or also list ref.',
  ],
  'gitlab-ci': [
    'Prefer project_id and namespace_id to paths: a path can be reused after a project is moved.',
    'With ref, also list ref_protected: "true", so that only people who may push to the protected branch can run the job, and ref_type, because a tag can have the same name as a branch.',
  ],
  'google-cloud': [
    'This issuer also issues tokens to all Google users: list sub, the unique id of the service account, or its email.',
    'The email of a deleted service account can be reused; its unique id cannot.',
  ],
  kubernetes: [
    'Each cluster has its own issuer: kubectl get --raw /.well-known/openid-configuration shows it. If the service cannot reach it, set jwks to the output of kubectl get --raw /openid/v1/jwks, and replace it when the cluster rotates its keys.',
    'List the namespace together with the name: every namespace can have a service account of the same name.',
    'Use a projected token with a separate audience: the default token of a pod is for the API server.',
  ],
  azure: [
    'List oid, the object id of the managed identity or service principal. azp (appid in version 1 tokens) alone also matches users of that application.',
    'The issuer of version 1 tokens is https://sts.windows.net/<tenant>/, with the slash. The app registration of the API determines the version.',
  ],
  vercel: [
    'List environment: otherwise preview deployments of any branch match, and development tokens on laptops.',
    'All teams share the global issuer https://oidc.vercel.com: list owner_id or project_id.',
  ],
  fly: [
    'Prefer app_id to app_name: the name of a deleted app can be reused.',
    'sub is <organization>:<app>:<machine>, so it differs for each machine: list app_id instead.',
  ],
  circleci: [
    'List oidc.circleci.com/ssh-rerun: false, so that nobody can copy a token from a job that was rerun with SSH.',
    'Builds of forked pull requests get tokens only if the project passes secrets to them: leave that setting off.',
  ],
}
