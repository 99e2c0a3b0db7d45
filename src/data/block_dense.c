/* Dense blocks: products with a few columns by kernels that stream the block at the speed of memory, with
   many by BLAS.

   The minor side is taken in pieces whose rows of c columns stay in the cache, and the major side in pieces
   of BLOCK_ROWS. */
#include "block.h"
/* after PETSc's own */
#include <petscblaslapack.h>

enum {
  KERNEL_COLUMNS = 128, /* more of them are for BLAS */
  PIECE = 16384         /* numbers of a piece of the minor side */
};

/* M's rows, and in row-major order what BLAS takes for its transpose: out = M in, or out += M^T in. The
   sides are counts of MPI's, which a BLAS integer holds. */
static void Gemm(const Block *X, PetscInt c, PetscBool transpose, PetscInt first, PetscInt rows,
                 const PetscScalar in[], PetscScalar out[])
{
  const PetscBLASInt nc = (PetscBLASInt)c, nrows = (PetscBLASInt)rows, minor = (PetscBLASInt)X->minor;
  const PetscBLASInt width = PetscMax(minor, 1);
  const PetscScalar one = 1, beta = transpose ? 1 : 0;
  const PetscScalar *const m = X->value + (PetscInt64)first * X->minor;

  if (transpose)
    BLASgemm_("N", "T", &nc, &minor, &nrows, &one, in, &nc, m, &width, &beta, out, &nc);
  else
    BLASgemm_("N", "N", &nc, &nrows, &minor, &one, in, &nc, m, &width, &beta, out, &nc);
}

/* A plain loop, for products that are rare. */
static void Squares(const Block *X, PetscInt c, PetscBool transpose, PetscInt first, PetscInt rows,
                    const PetscScalar in[], PetscScalar out[])
{
  for (PetscInt64 i = 0; i < rows; i++)
    for (PetscInt64 k = 0; k < X->minor; k++) {
      const PetscScalar x = X->value[(first + i) * X->minor + k];
      const PetscScalar *const from = in + (transpose ? i : k) * c;
      PetscScalar *const to = out + (transpose ? k : i) * c;
      for (PetscInt l = 0; l < c; l++) to[l] += x * x * from[l];
    }
}

/* out += M in, or M^T in, by the kernels. */
static void Pieces(const Block *X, PetscInt c, PetscBool transpose, PetscInt first, PetscInt rows,
                   const PetscScalar in[], PetscScalar out[])
{
  const BlockKernels *const kernels = BlockGetKernels();
  const PetscInt64 most = PetscMax(64, PIECE / c);

  for (PetscInt64 k = 0; k < X->minor; k += most)
    for (PetscInt64 i = 0; i < rows; i += BLOCK_ROWS) {
      const PetscInt nrows = (PetscInt)PetscMin(BLOCK_ROWS, rows - i),
                     columns = (PetscInt)PetscMin(most, X->minor - k);
      const PetscScalar *const m = X->value + (first + i) * X->minor + k;
      if (transpose)
        kernels->densescatter(nrows, columns, X->minor, c, m, in + i * c, out + k * c);
      else
        kernels->densegather(nrows, columns, X->minor, c, m, in + k * c, out + i * c);
    }
}

void BlockDenseGather(const Block *X, PetscInt c, PetscBool squared, PetscInt first, PetscInt rows,
                      const PetscScalar in[], PetscScalar out[])
{
  for (PetscInt64 k = 0; k < (PetscInt64)rows * c; k++) out[k] = 0;
  if (squared)
    Squares(X, c, PETSC_FALSE, first, rows, in, out);
  else if (c > KERNEL_COLUMNS)
    Gemm(X, c, PETSC_FALSE, first, rows, in, out);
  else
    Pieces(X, c, PETSC_FALSE, first, rows, in, out);
}

void BlockDenseScatter(const Block *X, PetscInt c, PetscBool squared, PetscInt first, PetscInt rows,
                       const PetscScalar in[], PetscScalar out[])
{
  if (squared)
    Squares(X, c, PETSC_TRUE, first, rows, in, out);
  else if (c > KERNEL_COLUMNS)
    Gemm(X, c, PETSC_TRUE, first, rows, in, out);
  else
    Pieces(X, c, PETSC_TRUE, first, rows, in, out);
}
