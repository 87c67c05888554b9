/* Memory that may have held a password is not given back as it is. */
#ifndef WIPE_H
#define WIPE_H

/* free(), after zeros; for json_set_alloc_funcs() and our own. */
void wipe_free(void *p);

#endif
