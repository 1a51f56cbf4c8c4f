/** What we use of the YAML reader. */
declare module "js-yaml" {
  interface Schema {
    extend(more: { implicit: Type[] }): Schema;
  }
  type Type = { readonly tag: string };
  export const CORE_SCHEMA: Schema;
  export const types: { merge: Type };
  export function load(text: string, options?: { schema?: Schema }): unknown;
  export function dump(value: unknown, options?: { lineWidth?: number; noRefs?: boolean; quotingType?: "'" | '"'; schema?: Schema }): string;
}
