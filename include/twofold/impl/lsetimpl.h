#ifndef TWOFOLD_LSETIMPL_H
#define TWOFOLD_LSETIMPL_H
#include <petscvec.h>
#include <twofold/lset.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId LSET_CLASSID;

/* project alone is required. It leaves an entry bit by bit as it is wherever the entry need not move:
   distances and projected gradients take such entries as exact. It reads lset->radius at each call. */
struct _LSETOps {
  PetscErrorCode (*setfromoptions)(LSET, PetscOptionItems *);
  PetscErrorCode (*setup)(LSET, Vec layout);
  PetscErrorCode (*project)(LSET, Vec x);                                  /* must not use lset->work */
  PetscErrorCode (*getbounds)(LSET, Vec lower, Vec upper, PetscBool *has); /* both NULL: only whether */
  PetscErrorCode (*view)(LSET, PetscViewer);
  PetscErrorCode (*destroy)(LSET);
};

struct _p_LSET {
  PETSCHEADER(struct _LSETOps);
  void *data;
  PetscReal radius;
  PetscBool uses_radius;
  PetscBool setup;
  Vec work;   /* laid out as the vectors the set is set up for */
  Vec target; /* where a gradient step leads; made when first needed */
};

/* For types: sets up without a view, as for a part of another set. Collective. */
PetscErrorCode LSETSetUp_Private(LSET lset, Vec layout);
/* Raises PETSC_ERR_ARG_WRONG where the set is of another type than the function is for. */
PetscErrorCode LSETCheckType_Private(LSET lset, LSETType type, const char function[]);
/* Raises PETSC_ERR_ARG_SIZ, naming both sizes and `what` x is, where x is not laid out as `layout`. */
PetscErrorCode LSETCheckLayout_Private(LSET lset, Vec x, Vec layout, const char what[]);
/* Raises PETSC_ERR_ARG_SIZ where `what`, n entries from entry `first` on, goes beyond a vector's end. */
PetscErrorCode LSETCheckRange_Private(LSET lset, Vec layout, PetscInt first, PetscReal n, const char what[]);
/* Sets the kernel of a set of type convspectral where nobody else has; of others nothing. Collective. */
PetscErrorCode LSETConvSpectralSuggestKernel_Private(LSET lset, PetscInt offset, PetscInt out, PetscInt in,
                                                     PetscInt width, PetscInt grid);
/* A vector on this rank alone for n entries from entry `first` of vectors like `layout` on (n = 0 for none),
   and the scatter that fills it. Collective on layout. */
PetscErrorCode LSETGather_Private(Vec layout, PetscInt first, PetscInt n, Vec *here, VecScatter *scatter);
/* Sets the matrix of a set of type spectral where nobody else has; of others nothing. Collective. */
PetscErrorCode LSETSpectralSuggestMatrix_Private(LSET lset, PetscInt offset, PetscInt rows, PetscInt columns);
/* ||d|| = scale * factor with scale = max |d_i| and factor in [1, sqrt(n)] (0 for d = 0), so that neither
   overflows where ||d|| does; scale is NaN where any d_i is, else infinite where one is. Collective. */
PetscErrorCode LSETScaledNorm_Private(MPI_Comm comm, PetscInt n, const PetscScalar d[], PetscReal *scale,
                                      PetscReal *factor);

/* Types, one a file. */
PetscErrorCode LSETCreate_Free(LSET lset);
PetscErrorCode LSETCreate_Box(LSET lset);
PetscErrorCode LSETCreate_NonNeg(LSET lset);
PetscErrorCode LSETCreate_Simplex(LSET lset);
PetscErrorCode LSETCreate_L2Ball(LSET lset);
PetscErrorCode LSETCreate_Product(LSET lset);
PetscErrorCode LSETCreate_Spectral(LSET lset);
PetscErrorCode LSETCreate_ConvSpectral(LSET lset);

#endif
