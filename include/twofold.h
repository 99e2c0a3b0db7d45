#ifndef TWOFOLD_H
#define TWOFOLD_H
/**
 * @file
 * Everything a user of the library calls: includes all public headers.
 *
 * @see twofold/dataset.h, twofold/blp.h, twofold/lset.h, twofold/fpm.h, twofold/lls.h, twofold/hg.h,
 * twofold/uls.h
 */
#include <twofold/sys.h>
#include <twofold/dataset.h>
#include <twofold/featuremat.h>
#include <twofold/blp.h>
#include <twofold/blpsweep.h>
#include <twofold/blpconstants.h>
#include <twofold/blpuser.h>
#include <twofold/lset.h>
#include <twofold/state.h>
#include <twofold/fpm.h>
#include <twofold/precond.h>
#include <twofold/lls.h>
#include <twofold/tape.h>
#include <twofold/bound.h>
#include <twofold/certificate.h>
#include <twofold/hg.h>
#include <twofold/uls.h>
#endif
