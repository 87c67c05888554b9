/*
 * Walking over netlink attributes; libmnl's macros for it convert lengths
 * silently.
 */
#ifndef GATE_NFT_ATTR_H
#define GATE_NFT_ATTR_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stddef.h>

/* P if a whole attribute lies there before END, else NULL. */
static inline const struct nlattr *
nft_attr_at(const void *p, const void *end)
{
	const ptrdiff_t left = (const char *)end - (const char *)p;

	return mnl_attr_ok(p, (int)left) ? p : NULL;
}

#define NFT_ATTR_EACH(at, from, end)                      \
	for ((at) = nft_attr_at((from), (end)); (at) != NULL; \
	    (at) = nft_attr_at(mnl_attr_next(at), (end)))

/* Those of a message, behind its header of SIZE octets. */
#define NFT_ATTR_EACH_IN(at, h, size)                            \
	NFT_ATTR_EACH((at), mnl_nlmsg_get_payload_offset((h), (size)), \
	    mnl_nlmsg_get_payload_tail(h))

#define NFT_ATTR_EACH_NESTED(at, nest)                      \
	NFT_ATTR_EACH((at), mnl_attr_get_payload(nest),     \
	    (const char *)mnl_attr_get_payload(nest) +      \
		mnl_attr_get_payload_len(nest))

#endif
