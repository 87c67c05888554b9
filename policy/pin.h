/*
 * A pinned key: the SHA-256 of its SubjectPublicKeyInfo, as base64.  Pure.
 */
#ifndef POL_PIN_H
#define POL_PIN_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

#define POL_PIN_TEXT 45 /* 32 octets: 44 letters, the last a '='; the NUL */

/* Exactly as pol_pin_format() writes it; false otherwise. */
bool pol_pin_parse(uint8_t out[POL_PIN_LEN], const char *text)
    __attribute__((warn_unused_result));

void pol_pin_format(char dst[POL_PIN_TEXT], const uint8_t pin[POL_PIN_LEN]);

#endif
