#ifndef TWOFOLD_TEST_SPECTRAL_H
#define TWOFOLD_TEST_SPECTRAL_H
/* Dense references of the sets spectral and convspectral: singular values of the whole linear map by LAPACK.
 */
#include <petscblaslapack.h>
#include <string.h>

/* Where the matrix (out x in) or the kernel (out x in x width x width, on grid x grid) is in a vector. */
typedef struct {
  PetscInt offset, out, in, width, grid, sweeps;
} Shape;

/* What fits into n entries. Variants of spectral: square and first; neither; square. Of convspectral: kernel
   smaller than the grid; as large as the grid; smaller, several sweeps. */
static Shape SpectralShape(int variant, PetscInt n)
{
  const PetscInt offset = variant == 1 ? n / 4 : 0, rest = n - offset;
  PetscInt rows = 1;

  while ((rows + 1) * (rows + 1) <= rest) rows++;
  if (variant == 1) rows = PetscMax(1, rows / 2);
  return (Shape){.offset = offset, .out = rows, .in = variant == 1 ? rest / rows : rows};
}

static Shape ConvShape(int variant, PetscInt n)
{
  const PetscBool whole = (PetscBool)(variant == 1);
  const PetscInt sweeps = variant == 2 ? 3 : 1;

  if (n < 3) return (Shape){.out = 1, .in = 1, .width = 1, .grid = whole ? 1 : 3, .sweeps = sweeps};
  if (n < 36)
    return (Shape){
        .out = whole ? 1 : 3, .in = whole ? 3 : 1, .width = 1, .grid = whole ? 1 : 2, .sweeps = sweeps};
  if (n < 154)
    return (Shape){.offset = 4, .out = 2, .in = 2, .width = 3, .grid = whole ? 3 : 4, .sweeps = sweeps};
  if (whole) return (Shape){.offset = 7, .out = 2, .in = 2, .width = 4, .grid = 4, .sweeps = sweeps};
  if (variant == 2) return (Shape){.offset = 100, .out = 2, .in = 3, .width = 3, .grid = 4, .sweeps = sweeps};
  return (Shape){.offset = 100, .out = 2, .in = 1, .width = 3, .grid = 5, .sweeps = sweeps};
}

/* The m x n matrix A, by columns, less what its singular values are above r; the largest of them. */
static PetscReal DenseClip(PetscInt m, PetscInt n, PetscReal r, PetscScalar A[])
{
  const PetscInt q = PetscMin(m, n);
  PetscBLASInt rows = (PetscBLASInt)m, columns = (PetscBLASInt)n, rank = (PetscBLASInt)q, info;
  PetscBLASInt lwork = (PetscBLASInt)(10 * (m + n) + 10);
  PetscScalar *copy = malloc((size_t)(m * n) * sizeof(*copy)), *work = malloc((size_t)lwork * sizeof(*work));
  PetscScalar *U = malloc((size_t)(m * q) * sizeof(*U)), *VT = malloc((size_t)(q * n) * sizeof(*VT));
  PetscReal *sigma = malloc((size_t)q * sizeof(*sigma));

  memcpy(copy, A, (size_t)(m * n) * sizeof(*copy));
  LAPACKgesvd_("S", "S", &rows, &columns, copy, &rows, sigma, U, &rows, VT, &rank, work, &lwork, &info);
  for (PetscInt k = 0; k < q && !info; k++) {
    const PetscReal above = PetscMax(sigma[k] - r, 0);
    for (PetscInt j = 0; j < n && above > 0; j++)
      for (PetscInt i = 0; i < m; i++) A[i + j * m] -= above * U[i + k * m] * VT[k + j * q];
  }
  const PetscReal largest = info ? (PetscReal)NAN : sigma[0];
  free(copy);
  free(work);
  free(U);
  free(VT);
  free(sigma);
  return largest;
}

static void DenseSpectral(const Shape *s, PetscReal r, PetscReal x[])
{
  PetscScalar *A = malloc((size_t)(s->out * s->in) * sizeof(*A));

  for (PetscInt i = 0; i < s->out; i++)
    for (PetscInt j = 0; j < s->in; j++) A[i + j * s->out] = x[s->offset + i * s->in + j];
  DenseClip(s->out, s->in, r, A);
  for (PetscInt i = 0; i < s->out; i++)
    for (PetscInt j = 0; j < s->in; j++) x[s->offset + i * s->in + j] = A[i + j * s->out];
  free(A);
}

/* Entry of the convolution's matrix, by columns, that takes image i at (y, x) to image o s rows below and t
   columns to the right. */
static PetscInt ConvEntry(const Shape *c, PetscInt o, PetscInt i, PetscInt s, PetscInt t, PetscInt y,
                          PetscInt x)
{
  const PetscInt N = c->grid, row = (o * N + (y + s) % N) * N + (x + t) % N, column = (i * N + y) * N + x;

  return row + column * c->out * N * N;
}

/* Adds the matrix of the convolution with this kernel to T. */
static void DenseConvMatrix(const Shape *c, const PetscReal K[], PetscScalar T[])
{
  const PetscInt k = c->width;

  for (PetscInt o = 0; o < c->out; o++)
    for (PetscInt i = 0; i < c->in; i++)
      for (PetscInt tap = 0; tap < k * k; tap++)
        for (PetscInt p = 0; p < c->grid * c->grid; p++)
          T[ConvEntry(c, o, i, tap / k, tap % k, p / c->grid, p % c->grid)] +=
              K[(o * c->in + i) * k * k + tap];
}

/* The kernel of T, which is a convolution up to rounding: the mean of the entries that are the same. */
static void DenseConvKernel(const Shape *c, const PetscScalar T[], PetscReal K[])
{
  const PetscInt k = c->width, pixels = c->grid * c->grid;

  for (PetscInt o = 0; o < c->out; o++)
    for (PetscInt i = 0; i < c->in; i++)
      for (PetscInt tap = 0; tap < k * k; tap++) {
        PetscReal mean = 0;
        for (PetscInt p = 0; p < pixels; p++)
          mean += T[ConvEntry(c, o, i, tap / k, tap % k, p / c->grid, p % c->grid)] / (PetscReal)pixels;
        K[(o * c->in + i) * k * k + tap] = mean;
      }
}

static size_t DenseConvSize(const Shape *c)
{
  return (size_t)(c->out * c->in) * (size_t)(c->grid * c->grid) * (size_t)(c->grid * c->grid);
}

/* The largest singular value of the convolution whose kernel is in x. */
static PetscReal DenseConvNorm(const Shape *c, const PetscReal x[])
{
  PetscScalar *T = calloc(DenseConvSize(c), sizeof(*T));

  DenseConvMatrix(c, x + c->offset, T);
  const PetscReal norm = DenseClip(c->out * c->grid * c->grid, c->in * c->grid * c->grid, 1e300, T);
  free(T);
  return norm;
}

/* Clips and crops, by Dykstra's method where more than once. */
static void DenseConv(const Shape *c, PetscReal r, PetscReal x[])
{
  const size_t size = DenseConvSize(c);
  PetscScalar *T = calloc(size, sizeof(*T)), *off = calloc(size, sizeof(*off));

  for (PetscInt sweep = 0; sweep < c->sweeps; sweep++) {
    memcpy(T, off, size * sizeof(*T));
    DenseConvMatrix(c, x + c->offset, T);
    memcpy(off, T, size * sizeof(*T));
    DenseClip(c->out * c->grid * c->grid, c->in * c->grid * c->grid, r, T);
    for (size_t i = 0; i < size; i++) off[i] -= T[i];
    DenseConvKernel(c, T, x + c->offset);
  }
  free(T);
  free(off);
}

#endif
