#ifndef TWOFOLD_CONVEQUILIBRIUM_H
#define TWOFOLD_CONVEQUILIBRIUM_H
/* What the files of convequilibrium share: see the head of convequilibrium.c. */
#include "equilibrium.h"

/* Entries of a kernel of one channel to one. */
enum { ConvTaps = 9 };

typedef struct {
  Equilibrium base;
  PetscInt pool, side; /* blocks of pixels that are averaged, pixels on a side of what that leaves */
  PetscReal *band;     /* what a row of taps sees of an image, and of its wrapped edges */
  PetscReal *kernel;   /* as products with bands want it */
} ConvEquilibrium;

/* convequilibrium_products.c: room for the products, and what the layer asks for. */
PetscErrorCode ConvProductsCreate_Private(ConvEquilibrium *conv);
PetscErrorCode ConvProductsDestroy_Private(ConvEquilibrium *conv);
PetscErrorCode ConvState_Private(const Equilibrium *eq, PetscInt n, const PetscReal A[], const PetscReal w[],
                                 PetscReal beta, PetscReal z[]);
PetscErrorCode ConvStateTranspose_Private(const Equilibrium *eq, PetscInt n, const PetscReal A[],
                                          const PetscReal v[], PetscReal beta, PetscReal z[]);
PetscErrorCode ConvInput_Private(const Equilibrium *eq, PetscInt n, const PetscReal B[], const PetscReal x[],
                                 PetscReal beta, PetscReal z[]);
PetscErrorCode ConvGradient_Private(const Equilibrium *eq, PetscInt n, const PetscReal w[],
                                    const PetscReal x[], const PetscReal U[], PetscReal gA[], PetscReal gB[]);
PetscErrorCode ConvNorm_Private(const Equilibrium *eq, const PetscReal A[], PetscReal *norm);

#endif
