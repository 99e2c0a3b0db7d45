#ifndef TWOFOLD_TEST_DENSE_H
#define TWOFOLD_TEST_DENSE_H
/* Slow dense references on plain arrays, all of them on every rank, each formula written out in indices:
   problems (one file each, see denseimpl.h), the maps, iterative and implicit differentiation. Matrices are
   row by row. */
#include "problem.h"

typedef struct Dense Dense;
struct Dense {
  const struct DenseOps *ops; /* denseimpl.h */
  void *data;                 /* of the problem's own file */
  BLPType type;
  PetscInt p, c; /* features without the bias, classes */
  PetscInt rows; /* columns of X: p, or p + 1 with the bias */
  PetscInt nw, nlambda;
  PetscInt n[3];         /* samples of each set */
  PetscReal *X[3];       /* n x rows, or NULL */
  PetscBool direct;      /* E depends on lambda: grad2 E is not 0 */
  PetscBool diagonal;    /* the problem must give the diagonal of the Hessian */
  TwofoldStanding mu, L; /* of the constants that the problem gives */
};

/* Raises PETSC_ERR_SUP for a problem type that has no dense reference. */
PetscErrorCode DenseCreate(BLPType type, const Synthetic *s, Dense **dense);
PetscErrorCode DenseDestroy(Dense **dense);

PetscReal DenseLoss(const Dense *d, const PetscReal lambda[], const PetscReal w[]);
void DenseGradient(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g[]);
/* nw x nw */
void DenseHessian(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal H[]);
/* nw x nlambda: d/dlambda grad_w l */
void DenseCross(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal C[]);
/* E, and where not NULL grad1 E and grad2 E. */
PetscReal DenseUpperAt(const Dense *d, const PetscReal lambda[], const PetscReal w[], PetscReal g1[],
                       PetscReal g2[]);
/* The same for a problem whose E does not depend on lambda. */
PetscReal DenseUpper(const Dense *d, const PetscReal w[], PetscReal g1[]);
/* Whether the problem evaluates on a set: 0 training, 1 validation, 2 test. */
PetscBool DenseHasSet(const Dense *d, int set);
void DenseEvaluate(const Dense *d, int set, const PetscReal lambda[], const PetscReal w[],
                   BLPMetrics *metrics);

/* x <- A^{-1} b, and A^{-T} b, by LAPACK. */
PetscErrorCode DenseSolve(PetscInt n, const PetscReal A[], const PetscReal b[], PetscReal x[]);
PetscErrorCode DenseSolveTranspose(PetscInt n, const PetscReal A[], const PetscReal b[], PetscReal x[]);
/* Eigenvalues of a symmetric matrix, increasing. */
PetscErrorCode DenseEigenvalues(PetscInt n, const PetscReal A[], PetscReal e[]);

/* A fixed-point map: gd; heavyball and nesterov with their state (w, w_prev) as one array; problem. */
typedef struct {
  FPMType type;
  PetscReal step, momentum;
} DenseMap;

/* Raises PETSC_ERR_SUP for a type that has no dense reference. */
PetscErrorCode DenseMapGetSize(const Dense *d, const DenseMap *map, PetscInt *n);
/* x <- Phi(x, lambda) */
PetscErrorCode DenseMapStep(const Dense *d, const DenseMap *map, const PetscReal lambda[], PetscReal x[]);
/* J = d1Phi (n x n), B = d2Phi (n x nlambda) */
PetscErrorCode DenseMapDerivatives(const Dense *d, const DenseMap *map, const PetscReal lambda[],
                                   const PetscReal x[], PetscReal J[], PetscReal B[]);

/* f_t and the gradient through the last K of t steps from 0 (K >= t: the whole gradient of f_t). */
PetscErrorCode DenseITD(const Dense *d, const DenseMap *map, const PetscReal lambda[], PetscInt t, PetscInt K,
                        PetscReal *f, PetscReal g[]);
/* Adjoint at x: v = (I - d1Phi^T)^{-1} (grad1 E, 0), g = d2Phi^T v; v may be NULL. */
PetscErrorCode DenseImplicit(const Dense *d, const DenseMap *map, const PetscReal lambda[],
                             const PetscReal x[], PetscReal v[], PetscReal g[]);
/* w(lambda) by Newton's method, of a loss or a map, and f and its gradient by the implicit function theorem
   there; w and g may be NULL. */
PetscErrorCode DenseExact(const Dense *d, const PetscReal lambda[], PetscReal w[], PetscReal *f,
                          PetscReal g[]);

#endif
