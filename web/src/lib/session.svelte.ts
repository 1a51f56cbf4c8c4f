/** Who is logged in. The token lives in a cookie that no script can read. */
import { ApiFailure, call, get, onSessionLost, type Schemas } from "./api";

class Session {
  user = $state<Schemas["UserOut"] | undefined>();
  known = $state(false); // whether the server was asked
  failure = $state("");

  get account(): string {
    return this.user?.activeAccountName ?? "";
  }

  get accountId(): string {
    return this.user?.account[this.user.defaultAccount]?._id ?? "";
  }

  get isAdmin(): boolean {
    const user = this.user;
    return user !== undefined && (user.account[user.defaultAccount]?.admins.includes(user._id) ?? false);
  }

  async load(): Promise<void> {
    try {
      this.user = await get<Schemas["UserOut"]>("/user");
      this.failure = "";
    } catch (reason) {
      this.user = undefined;
      this.failure = reason instanceof ApiFailure && reason.status === 401 ? "" : String((reason as Error).message);
    }
    this.known = true;
  }

  async logIn(user: string, password: string): Promise<void> {
    await call("POST", "/auth/login", { body: { user, password } });
    await this.load();
  }

  /** Forget who was logged in, when the sessions have been ended. */
  forget(): void {
    this.user = undefined;
  }
}

export const session = new Session();
onSessionLost(() => {
  session.user = undefined;
});
