#ifndef TWOFOLD_BOUNDIMPL_H
#define TWOFOLD_BOUNDIMPL_H
#include <twofold/bound.h>
#include <twofold/certificate.h>
#include <twofold/impl/sysimpl.h>

/* Of two standings that of what is made of both. */
static inline TwofoldStanding BoundTogether_Private(TwofoldStanding a, TwofoldStanding b)
{
  if (a == TWOFOLD_UNKNOWN || b == TWOFOLD_UNKNOWN) return TWOFOLD_UNKNOWN;
  return PetscMax(a, b);
}

/* A constant on its safe side. An error that is not known (NaN) is none. */
static inline PetscReal BoundAtMost_Private(const TwofoldConstant *c)
{
  return c->error > 0 ? c->value + c->error : c->value;
}

static inline PetscReal BoundAtLeast_Private(const TwofoldConstant *c)
{
  return c->error > 0 ? c->value - c->error : c->value;
}

/* A constant that a bound needs, with the words for its absence. */
typedef struct {
  const TwofoldConstant *constant;
  const char *missing;
} BoundNeed;
/* Standing of what is made of n constants, joined to *standing; *missing names the first one that is unknown,
   unless it names another already. */
void BoundJoin_Private(PetscInt n, const BoundNeed need[], TwofoldStanding *standing, const char **missing);
/* The five of a BLPLipschitz. */
void BoundJoinLipschitz_Private(const BLPLipschitz *on, TwofoldStanding *standing, const char **missing);
void BoundSetLipschitz_Private(const BLPLipschitz *on, BoundNumbers *a);

#endif
