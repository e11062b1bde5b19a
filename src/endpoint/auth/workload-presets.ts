/** The platforms that {@link workloadIdentity} has a preset for. */
export type WorkloadPresetName =
  | 'github-actions'
  | 'gitlab-ci'
  | 'google-cloud'
  | 'kubernetes'
  | 'azure'
  | 'vercel'
  | 'fly'
  | 'circleci'

/** Describes the tokens of a platform. A claim is a path: its name, then the names of nested members. */
export interface WorkloadPreset {
  /** Name of the platform in messages. */
  readonly title: string
  /** The issuer if the identity sets none. With a part in braces it is a template, and the identity must set one. */
  readonly issuer?: string
  /** Accepted issuers. Default: any. */
  readonly issuerPattern?: RegExp
  /** Claims that identify workloads. An identity must list at least one of them. */
  readonly identifying: readonly (readonly string[])[]
  /** The identifying claims that survive a rename and are never reused. Prefer these. */
  readonly immutable: readonly (readonly string[])[]
  /** Claims that are strings, although they look like numbers or booleans. */
  readonly texts: readonly string[]
  /** Rules that never match, or match too much: reported if every listed claim has a value that matches its pattern. */
  readonly mistakes: readonly {
    readonly claims: Readonly<Record<string, RegExp>>
    readonly message: string
  }[]
  /** Advice for a token that no identity matches, if the claim has one of the values. */
  readonly hints: readonly {
    readonly claim: string
    readonly values: readonly string[]
    readonly message: string
  }[]
}

const ANY = /(?:)/

/** Presets by name, based on the platforms' documentation. */
export const WORKLOAD_PRESETS: Readonly<Record<WorkloadPresetName, WorkloadPreset>> = {
  'github-actions': {
    title: 'GitHub Actions',
    issuer: 'https://token.actions.githubusercontent.com',
    // Also issuers of an enterprise, of GitHub Enterprise Cloud with data residency, and of GitHub Enterprise Server.
    issuerPattern:
      /^https:\/\/(token\.actions\.(githubusercontent\.com(\/[\w-]+)?|[\w-]+\.ghe\.com)|[^/]+\/_services\/token)$/,
    identifying: [
      ['repository_id'],
      ['repository_owner_id'],
      ['repository'],
      ['repository_owner'],
      ['job_workflow_ref'],
      ['workflow_ref'],
      ['enterprise_id'],
      ['sub'],
    ],
    immutable: [['repository_id'], ['repository_owner_id'], ['enterprise_id']],
    texts: ['repository_id', 'repository_owner_id', 'enterprise_id', 'actor_id', 'run_id', 'run_attempt'],
    mistakes: [
      {
        claims: { ref: /^(?!refs\/)/ },
        message: 'ref is the full name in these tokens, such as refs/heads/main or refs/tags/v1.',
      },
      {
        claims: { environment: ANY, sub: /:ref:/ },
        message:
          'the sub of a job with an environment names the environment instead of the branch, so this never matches: list environment and ref, and leave out sub.',
      },
      {
        claims: { repository: /^[^/]*$/ },
        message: 'repository is the owner and the name, such as octo-org/octo-repo.',
      },
      {
        claims: { sub: /^(?!.*:)/ },
        message:
          'sub begins with repo:, such as repo:octo-org/octo-repo:ref:refs/heads/main, or, with ids, repo:octo-org@65/octo-repo@74:ref:refs/heads/main.',
      },
    ],
    hints: [
      {
        claim: 'event_name',
        values: ['pull_request', 'pull_request_target', 'pull_request_review'],
        message: 'The job runs for a pull request; run it for a push to the branch, or in an environment.',
      },
    ],
  },
  'gitlab-ci': {
    title: 'GitLab CI/CD',
    issuer: 'https://gitlab.com',
    identifying: [
      ['project_id'],
      ['namespace_id'],
      ['project_path'],
      ['namespace_path'],
      ['ci_config_ref_uri'],
      ['sub'],
    ],
    immutable: [['project_id'], ['namespace_id']],
    texts: [
      'project_id',
      'namespace_id',
      'ref_protected',
      'pipeline_id',
      'job_id',
      'user_id',
      'environment_protected',
    ],
    mistakes: [
      {
        claims: { ref: /^refs\// },
        message: 'ref is the short name in these tokens, such as main; ref_type is branch or tag.',
      },
    ],
    hints: [
      {
        claim: 'pipeline_source',
        values: ['merge_request_event'],
        message: 'The job runs for a merge request; run it for the branch.',
      },
    ],
  },
  'google-cloud': {
    title: 'Google Cloud',
    issuer: 'https://accounts.google.com',
    issuerPattern: /^https:\/\/accounts\.google\.com$/,
    identifying: [
      ['sub'],
      ['email'],
      ['azp'],
      ['google', 'compute_engine', 'project_id'],
      ['google', 'compute_engine', 'project_number'],
      ['google', 'compute_engine', 'instance_id'],
    ],
    immutable: [['sub'], ['google', 'compute_engine', 'instance_id']],
    texts: ['sub', 'azp'],
    mistakes: [
      {
        claims: { sub: /@/ },
        message: 'sub is the unique id of the service account, 21 digits; its address is in email.',
      },
    ],
    hints: [],
  },
  kubernetes: {
    title: 'Kubernetes',
    identifying: [
      ['sub'],
      ['kubernetes.io', 'namespace'],
      ['kubernetes.io', 'serviceaccount', 'name'],
      ['kubernetes.io', 'serviceaccount', 'uid'],
      ['kubernetes.io', 'pod', 'name'],
      ['kubernetes.io', 'pod', 'uid'],
    ],
    immutable: [
      ['kubernetes.io', 'serviceaccount', 'uid'],
      ['kubernetes.io', 'pod', 'uid'],
    ],
    texts: [],
    mistakes: [
      {
        claims: { sub: /^(?!system:serviceaccount:)/ },
        message: 'sub has the form system:serviceaccount:<namespace>:<name>.',
      },
    ],
    hints: [],
  },
  azure: {
    title: 'Azure',
    issuer: 'https://login.microsoftonline.com/{tenant}/v2.0',
    issuerPattern: /^https:\/\/(?!.*\/(common|organizations|consumers)(\/|$))/,
    identifying: [['oid'], ['sub'], ['azp'], ['appid'], ['xms_mirid']],
    immutable: [['oid'], ['sub']],
    texts: [],
    mistakes: [],
    hints: [],
  },
  vercel: {
    title: 'Vercel',
    issuer: 'https://oidc.vercel.com/{team}',
    issuerPattern: /^https:\/\/oidc\.vercel\.com(\/[\w-]+)?$/,
    identifying: [['project_id'], ['owner_id'], ['sub'], ['project'], ['owner']],
    immutable: [['project_id'], ['owner_id']],
    texts: [],
    mistakes: [],
    hints: [
      {
        claim: 'environment',
        values: ['preview', 'development'],
        message: 'The deployment is not a production deployment.',
      },
    ],
  },
  fly: {
    title: 'Fly.io',
    issuer: 'https://oidc.fly.io/{organization}',
    issuerPattern: /^https:\/\/oidc\.fly\.io\/[\w-]+$/,
    identifying: [
      ['app_id'],
      ['org_id'],
      ['app_name'],
      ['org_name'],
      ['machine_id'],
      ['machine_name'],
      ['sub'],
    ],
    immutable: [['app_id'], ['org_id'], ['machine_id']],
    texts: ['app_id', 'org_id', 'machine_id', 'machine_version'],
    mistakes: [],
    hints: [],
  },
  circleci: {
    title: 'CircleCI',
    issuer: 'https://oidc.circleci.com/org/{organization}',
    issuerPattern: /^https:\/\/oidc\.circleci\.com\/org\/[0-9a-f-]{36}$/,
    identifying: [['oidc.circleci.com/project-id'], ['oidc.circleci.com/vcs-origin'], ['sub']],
    immutable: [['oidc.circleci.com/project-id']],
    texts: [],
    mistakes: [
      {
        claims: { 'oidc.circleci.com/context-ids': ANY },
        message: 'oidc.circleci.com/context-ids is a list in these tokens, and a list never matches.',
      },
      {
        claims: { 'oidc.circleci.com/vcs-ref': /^(?!refs\/)/ },
        message: 'oidc.circleci.com/vcs-ref is the full name, such as refs/heads/main.',
      },
    ],
    hints: [
      {
        claim: 'oidc.circleci.com/ssh-rerun',
        values: ['true'],
        message: 'The job was rerun with SSH.',
      },
    ],
  },
}

/** The preset of the platform with this issuer, if the issuer is known. */
export function presetOfIssuer(issuer: string): WorkloadPreset | undefined {
  return Object.values(WORKLOAD_PRESETS).find(
    (preset) =>
      preset.issuer !== undefined &&
      (preset.issuer === issuer || (preset.issuer.includes('{') && toPattern(preset.issuer).test(issuer))),
  )
}

// A part in braces, such as `{team}`, is one path segment.
function toPattern(template: string): RegExp {
  const literal = template.replace(/[.*+?^$()|[\]\\/]/g, '\\$&')
  return new RegExp(`^${literal.replace(/\{\w+\}/g, '[^/]+')}$`)
}
