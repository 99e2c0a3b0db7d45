#ifndef TWOFOLD_H
#define TWOFOLD_H
/* Everything a user of the library calls. */
#include <twofold/sys.h>
#include <twofold/dataset.h>
#include <twofold/featuremat.h>
#include <twofold/blp.h>
#include <twofold/blpuser.h>
#include <twofold/lset.h>
#include <twofold/state.h>
#include <twofold/fpm.h>
#include <twofold/lls.h>
#include <twofold/tape.h>
#include <twofold/bound.h>
#include <twofold/hg.h>
#include <twofold/uls.h>
#endif
