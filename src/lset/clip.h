#ifndef TWOFOLD_LSET_CLIP_H
#define TWOFOLD_LSET_CLIP_H
/* Small dense matrices of one size whose singular values are clipped, one matrix after another. */
#include <petscvec.h>
#include <petscblaslapack.h>
#include <twofold/compat.h>

typedef struct {
  PetscBLASInt m, n, q, lwork; /* q = min(m, n) */
  PetscScalar *copy, *U, *VT, *work;
  PetscReal *sigma;
} LSETClip;

/* Work for m x n matrices. Not collective, as all of this. */
PetscErrorCode LSETClipCreate_Private(PetscInt m, PetscInt n, LSETClip *clip);
PetscErrorCode LSETClipDestroy_Private(LSETClip *clip);
/* A <- U min(Sigma, r) V^T where A = U Sigma V^T, stored by columns: the matrix nearest to A with no singular
   value above r. A stays as it is, bit by bit, where none is, and *clipped is then false. An entry that is
   not finite makes all of them NaN. *info is what LAPACK's gesvd returned: not 0 where it failed, A is then
   as it was. */
PetscErrorCode LSETClipApply_Private(LSETClip *clip, PetscReal r, PetscScalar A[], PetscBool *clipped,
                                     PetscBLASInt *info);

#endif
