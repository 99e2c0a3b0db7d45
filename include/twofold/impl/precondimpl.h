#ifndef TWOFOLD_PRECONDIMPL_H
#define TWOFOLD_PRECONDIMPL_H
#include <twofold/impl/sysimpl.h>
#include <twofold/precond.h>

extern PetscClassId PRECOND_CLASSID;

/* build and apply are required but for a type that is no preconditioner. */
struct _PrecondOps {
  PetscErrorCode (*setfromoptions)(Precond, PetscOptionItems *);
  PetscErrorCode (*check)(Precond);                    /* raises where the problem does not suit */
  PetscErrorCode (*build)(Precond, Vec lambda, Vec w); /* the loss's point is fixed there; counts products */
  PetscErrorCode (*apply)(Precond, Vec, Vec);
  PetscErrorCode (*applyroot)(Precond, Vec, Vec); /* P^(-1/2); may be NULL */
  PetscErrorCode (*memory)(Precond, PetscLogDouble *);
  PetscErrorCode (*view)(Precond, PetscViewer);
  PetscErrorCode (*reset)(Precond); /* what was built is for another problem */
  PetscErrorCode (*destroy)(Precond);
};

struct _p_Precond {
  PETSCHEADER(struct _PrecondOps);
  void *data;
  BLP blp;
  PetscInt rank;
  PetscInt64 seed;
  PetscInt reuse;
  PetscReal growth;
  PetscBool built, slow; /* slow: a solve took too long for it */
  PetscInt runs;         /* since it was built, and that one */
  PetscReal best;        /* iterations per digit of the best solve since then; infinite before the first */
  PetscInt builds, products;
};

/* Whether it is one at all. */
PetscErrorCode PrecondIsNone_Private(Precond precond, PetscBool *none);
/* Whether two do the same, so that one of them may serve for both. */
PetscErrorCode PrecondIsLike_Private(Precond a, Precond b, PetscBool *like);
/* Whether the type has P^(-1/2), symmetric, and y = P^(-1/2) x: P^(-1/2) H P^(-1/2) is symmetric and has the
   eigenvalues of P^-1 H. */
PetscErrorCode PrecondHasRoot_Private(Precond precond, PetscBool *has);
PetscErrorCode PrecondApplyRoot_Private(Precond precond, Vec x, Vec y);
/* The prefix of the options' names, never NULL. */
const char *PrecondPrefix_Private(Precond precond);

PetscErrorCode PrecondCreate_None(Precond precond);
PetscErrorCode PrecondCreate_Jacobi(Precond precond);
PetscErrorCode PrecondCreate_Nystrom(Precond precond);

#endif
