#ifndef TWOFOLD_PROBLEMS_EIGEN_H
#define TWOFOLD_PROBLEMS_EIGEN_H
/* Eigenvalues of small dense matrices that every rank has, for the constants of problems. */
#include <twofold/sys.h>

/* Eigenvalues e of a symmetric A (n x n), increasing, NaN where it is not finite; A becomes its eigenvectors,
   row by row. Not collective. */
PetscErrorCode SymmetricEigen(PetscInt n, PetscReal A[], PetscReal e[]);

#endif
