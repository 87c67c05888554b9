/*
 * The keeper: portcullisd's parent process.  It starts gate, engine and
 * status, each as its own user, restarts what dies, and introduces
 * neighbours to each other (links.h).
 *
 * Why it exists: the gate gives up everything but CAP_NET_ADMIN, so it can
 * neither start a process of another user nor come back after its own death.
 * The keeper holds the boot table (gate/anchor.h) by a socket from which it
 * never reads again, and reads nothing but fixed structs from its children;
 * when it dies, the kernel kills all of them, and with the gate goes the
 * permission to pass.
 */
#ifndef KEEPER_H
#define KEEPER_H

struct pol_policy;

/*
 * Run until SIGTERM or SIGINT.  POLICY is resolved and stays the caller's;
 * the programs are taken from LIBEXEC_DIR.  Returns the exit code: 0 asked to
 * stop, 1 failure (said on the log).
 */
int keeper_run(const struct pol_policy *policy, const char *libexec_dir);

#endif
