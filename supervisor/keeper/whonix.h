/*
 * The files by which whonix-firewall tells systemcheck and others how it did,
 * where the policy asks for them:
 *
 * whonix_firewall/first_run_current_boot.status
 *	The gate has been closed and verified since the boot.
 * whonix_firewall/consecutive_run.status
 *	More than once.
 * anon-firewall/failed.status
 *	It is not, or no longer.  It goes as soon as it is so again.
 *
 * They are the keeper's to write: root's, in folders of root's.
 */
#ifndef KEEPER_WHONIX_H
#define KEEPER_WHONIX_H

struct pol_policy;

/* The gate is closed and verified.  What cannot be written is logged. */
void whonix_stands(const struct pol_policy *policy);
/* There is no gate, though there should be. */
void whonix_failed(const struct pol_policy *policy);

#endif
