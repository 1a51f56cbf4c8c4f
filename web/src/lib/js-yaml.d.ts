/** What we use of the YAML reader; it follows YAML 1.2, as the server does. */
declare module "js-yaml" {
  export function dump(value: unknown, options?: { lineWidth?: number; noRefs?: boolean; quotingType?: "'" | '"' }): string;
}
