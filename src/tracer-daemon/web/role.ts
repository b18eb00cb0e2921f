/**
 * What somebody may do who does not sign each request with the organization's key: owner decides, operator (of the machine, not of code) keeps
 * jobs running, viewer looks, auditor reads what proves what happened.
 */
export const roles = ['owner', 'operator', 'viewer', 'auditor'] as const;
export type Role = (typeof roles)[number];
