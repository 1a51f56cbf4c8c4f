/** What is done with accounts and with who belongs to them. */
import type { Schemas } from "../api";
import { type Action, action } from "../action";

type Account = Schemas["AccountOut"];
type User = Schemas["UserOut"];
type NewUser = Schemas["NewUserOut"];

/** Answers the password, this once. */
export const inviteUser = (account: Account, name: string): Action<NewUser> =>
  action({
    title: "Create a user", sdk: "accounts.addUserToAccount", method: "POST", path: "/accounts/{id}/adduser",
    at: { id: account._id },
    body: { userDetails: name },
  });

export const changeUser = (account: Account, user: User, userName: string, email: string): Action<User> =>
  action({
    title: "Change the user", sdk: "accounts.updateUser", method: "POST", path: "/accounts/{accountId}/{userId}/updateuser",
    at: { accountId: account._id, userId: user._id },
    body: { userName, email },
  });

export const makeAdmin = (account: Account, user: User): Action<User> =>
  action({
    title: `Make ${user.userName} an admin`, sdk: "accounts.setAsAdmin", method: "POST", path: "/accounts/{accountId}/{userId}/admin",
    at: { accountId: account._id, userId: user._id },
  });

export const endAdmin = (account: Account, user: User): Action<User> =>
  action({
    title: `Make ${user.userName} a member`, sdk: "accounts.deleteAdmin", method: "DELETE", path: "/accounts/{accountId}/{userId}/admin",
    at: { accountId: account._id, userId: user._id },
  });

export const removeUser = (account: Account, user: User): Action =>
  action({
    title: "Remove the user", sdk: "accounts.deleteUserFromAccount", method: "DELETE", path: "/accounts/{accountId}/{userId}",
    at: { accountId: account._id, userId: user._id },
  });

export const createAccount = (name: string): Action<Account> =>
  action({ title: "Create an account", sdk: "accounts.addAccount", method: "POST", path: "/admin/accounts", body: { name } });

export const renameAccount = (account: Account, name: string): Action<Account> =>
  action({
    title: "Rename the account", sdk: "accounts.updateAccount", method: "POST", path: "/admin/accounts/{id}/update",
    at: { id: account._id },
    body: { name },
  });

export const deleteAccount = (account: Account): Action =>
  action({
    title: "Delete the account", sdk: "accounts.deleteAccount", method: "DELETE", path: "/admin/accounts/{id}",
    at: { id: account._id },
  });

export const joinAccount = (account: Account, user: User): Action<User> =>
  action({
    title: `Join ${account.name}`, sdk: "accounts.addExistingUserToAccount", method: "POST", path: "/accounts/{accountId}/{userId}/adduser",
    at: { accountId: account._id, userId: user._id },
  });

/** Begin a session in another account of the user; the browser gets it as its cookie. */
export const switchAccount = (account: Account): Action =>
  action({
    title: `Switch to ${account.name}`, sdk: "users.changeAccount", method: "POST", path: "/user/changeaccount/{accountId}",
    at: { accountId: account._id },
  });
