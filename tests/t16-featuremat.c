/* X W and X^T R of every kernel against sums over the entries, and one against the other. */
#include <twofold/impl/featurematimpl.h>
#include "problem.h"

typedef struct {
  const char *what;
  PetscInt n, p;
  PetscReal density;
  PetscBool last; /* all samples on the last rank */
} Shape;

/* Odd samples of the first half are empty. */
static PetscScalar Entry(const Synthetic *s, PetscInt i, PetscInt j)
{
  if (j == s->p) return 1;
  return i % 2 && i < s->n[0] / 2 ? 0 : SyntheticValue(s, 0, i, j);
}

static PetscErrorCode CreateData(const Synthetic *s, PetscBool last, DataSet *ds)
{
  PetscMPIInt rank, size;
  PetscInt nlocal = PETSC_DECIDE, n = s->n[0], first, nnz = 0, *rowptr, *col;
  PetscScalar *val;
  PetscReal *label;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  if (last) nlocal = rank == size - 1 ? n : 0;
  PetscCall(PetscSplitOwnership(TEST_COMM, &nlocal, &n));
  PetscCallMPI(MPI_Scan(&nlocal, &first, 1, MPIU_INT, MPI_SUM, TEST_COMM));
  first -= nlocal;
  PetscCall(PetscMalloc4(nlocal + 1, &rowptr, nlocal * s->p, &col, nlocal * s->p, &val, nlocal, &label));
  rowptr[0] = 0;
  for (PetscInt i = 0; i < nlocal; i++) {
    for (PetscInt j = 0; j < s->p; j++) {
      val[nnz] = Entry(s, first + i, j);
      col[nnz] = j;
      if (val[nnz] != 0) nnz++;
    }
    rowptr[i + 1] = nnz;
    label[i] = (PetscReal)SyntheticLabel(s, 0, first + i);
  }
  PetscCall(DataSetCreate(TEST_COMM, ds));
  PetscCall(DataSetSetRows(*ds, nlocal, rowptr, col, val, label, s->p, PETSC_TRUE));
  PetscCall(PetscFree4(rowptr, col, val, label));
  PetscFunctionReturn(0);
}

/* Z <- X W and G <- X^T R, all on every rank. */
static PetscErrorCode Reference(const Synthetic *s, PetscInt rows, PetscInt c, Vec W, Vec R, PetscScalar Z[],
                                PetscScalar G[], PetscScalar S[])
{
  const PetscInt n = s->n[0];
  PetscScalar *w, *r, *x;

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(rows * c, &w, n * c, &r, n * rows, &x));
  for (PetscInt m = 0; m < n * rows; m++) x[m] = Entry(s, m / rows, m % rows);
  PetscCall(VecGather(W, w));
  PetscCall(VecGather(R, r));
  for (PetscInt m = 0; m < n * c; m++) {
    long double sum = 0;
    for (PetscInt j = 0; j < rows; j++) sum += (long double)x[m / c * rows + j] * w[j * c + m % c];
    Z[m] = (PetscScalar)sum;
  }
  for (PetscInt m = 0; m < rows * c; m++) {
    long double sum = 0, squares = 0;
    for (PetscInt i = 0; i < n; i++) {
      const long double a = x[i * rows + m / c], y = r[i * c + m % c];
      sum += a * y;
      squares += a * a * y;
    }
    G[m] = (PetscScalar)sum;
    S[m] = (PetscScalar)squares;
  }
  PetscCall(PetscFree3(w, r, x));
  PetscFunctionReturn(0);
}

/* Products twice (the second must not see the first), the sizes, the labels and the adjoint identity. */
static PetscErrorCode Compare(FeatureMat X, const Synthetic *s, const char what[])
{
  const PetscInt rows = s->p + (s->bias ? 1 : 0), c = s->c;
  PetscReal difference;
  PetscScalar *z, *g, *s2, left, right;
  Vec W, R, Z, G;

  PetscFunctionBegin;
  PetscCall(FeatureMatCreateVecs(X, &W, &Z));
  PetscCall(FeatureMatCreateVecs(X, &G, &R));
  PetscCall(PetscMalloc3(s->n[0] * c, &z, rows * c, &g, rows * c, &s2));
  for (PetscInt64 seed = 1; seed < 3; seed++) {
    PetscCall(TwofoldVecSetRandomNormal(W, seed));
    PetscCall(TwofoldVecSetRandomNormal(R, seed + 10));
    PetscCall(VecSet(Z, 1e10)); /* overwritten, not added to */
    PetscCall(VecSet(G, 1e10));
    PetscCall(Reference(s, rows, c, W, R, z, g, s2));
    PetscCall(FeatureMatMultTransposeSquared(X, R, G));
    PetscCall(VecDifference(G, s2, &difference));
    CHECK(difference <= 1e-14, "%s, c %d: the product with squares differs by %g", what, (int)c, difference);
    PetscCall(FeatureMatMult(X, W, Z));
    PetscCall(VecDifference(Z, z, &difference));
    CHECK(difference <= 1e-14, "%s, c %d: X W differs by %g", what, (int)c, difference);
    PetscCall(FeatureMatMultTranspose(X, R, G));
    PetscCall(VecDifference(G, g, &difference));
    CHECK(difference <= 1e-14, "%s, c %d: X^T R differs by %g", what, (int)c, difference);
    PetscCall(VecDot(Z, R, &left));
    PetscCall(VecDot(W, G, &right));
    PetscCall(VecNorm(Z, NORM_2, &difference));
    PetscReal scale;
    PetscCall(VecNorm(R, NORM_2, &scale));
    CHECK(PetscAbsReal(left - right) <= 1e-13 * scale * difference, "%s: <X W, R> %.17g, <W, X^T R> %.17g",
          what, left, right);
  }
  PetscCall(PetscFree3(z, g, s2));
  PetscCall(VecDestroy(&W));
  PetscCall(VecDestroy(&R));
  PetscCall(VecDestroy(&Z));
  PetscCall(VecDestroy(&G));
  PetscFunctionReturn(0);
}

/* z_i <- (1 + i) z_i + i in rows of c columns, i the sample's number; ctx: the matrix */
static PetscErrorCode ScaleRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[])
{
  const FeatureMat X = ctx;

  PetscFunctionBegin;
  for (PetscInt m = 0; m < rows * X->c; m++) {
    const PetscInt i = X->samples->rstart + first + m / X->c;
    z[m] = (PetscScalar)(1 + i) * z[m] + (PetscScalar)i;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Near(Vec x, Vec y, const char what[], const char where[])
{
  PetscReal scale, difference;

  PetscFunctionBegin;
  PetscCall(VecNorm(y, NORM_2, &scale));
  PetscCall(VecAXPY(x, -1, y));
  PetscCall(VecNorm(x, NORM_2, &difference));
  CHECK(difference <= 1e-13 * (scale + 1), "%s, %s: differs by %g", where, what, difference);
  PetscFunctionReturn(0);
}

/* f(X W) and X^T f(X W) together, against one after another. */
static PetscErrorCode Through(FeatureMat X, const char what[])
{
  Vec W, Z, R, G, H;

  PetscFunctionBegin;
  PetscCall(FeatureMatCreateVecs(X, &W, &Z));
  PetscCall(FeatureMatCreateVecs(X, &G, &R));
  PetscCall(VecDuplicate(G, &H));
  PetscCall(TwofoldVecSetRandomNormal(W, 5));
  PetscCall(VecSet(Z, 1e10));
  PetscCall(VecSet(G, 1e10));
  PetscCall(FeatureMatMultThrough_Private(X, W, ScaleRows, X, Z, G));
  PetscCall(FeatureMatMult(X, W, R));
  PetscCall(FeatureMatMapRows_Private(X, ScaleRows, X, R));
  PetscCall(FeatureMatMultTranspose(X, R, H));
  PetscCall(Near(Z, R, "f(X W)", what));
  PetscCall(Near(G, H, "X^T f(X W)", what));
  Vec *const vecs[] = {&W, &Z, &R, &G, &H};
  for (int i = 0; i < 5; i++) PetscCall(VecDestroy(vecs[i]));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSizes(FeatureMat X, const Synthetic *s)
{
  PetscInt n, p, c, nlocal, first;
  const PetscInt *label;
  PetscBool same = PETSC_TRUE;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetSizes(X, &n, &p, &c));
  CHECK(n == s->n[0] && p == s->p + (s->bias ? 1 : 0) && c == s->c, "sizes %d %d %d", (int)n, (int)p, (int)c);
  PetscCall(FeatureMatGetLabels(X, &nlocal, &label));
  PetscCallMPI(MPI_Scan(&nlocal, &first, 1, MPIU_INT, MPI_SUM, TEST_COMM));
  first -= nlocal;
  for (PetscInt i = 0; i < nlocal; i++)
    if (label[i] != SyntheticLabel(s, 0, first + i)) same = PETSC_FALSE;
  CHECK(same, "labels differ");
  PetscFunctionReturn(0);
}

/* Sparse blocks have the entries that are not zero, dense ones all. */
static PetscErrorCode CheckStored(FeatureMat X, FeatureMatStorage storage, const char what[])
{
  PetscInt64 nnz, sparse, dense, expected[2];
  PetscInt n, p;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetSizes(X, &n, &p, NULL));
  PetscCall(FeatureMatGetNonzeros(X, &nnz));
  PetscCall(FeatureMatGetStored(X, &sparse, &dense));
  expected[0] = storage == FEATUREMAT_STORAGE_SPARSE ? nnz : 0;
  expected[1] = storage == FEATUREMAT_STORAGE_DENSE ? (PetscInt64)n * p : 0;
  CHECK(storage == FEATUREMAT_STORAGE_AUTO || (sparse == expected[0] && dense == expected[1]),
        "%s: %d entries stored, and %d in dense blocks", what, (int)sparse, (int)dense);
  PetscFunctionReturn(0);
}

/* Pr = 0: the grid is the type's choice. */
static PetscErrorCode Kernel(FeatureMatType type, FeatureMatStorage storage, PetscInt Pr, PetscInt Pc,
                             const Shape *shape, PetscInt c, PetscBool bias)
{
  const Synthetic s = {
      .n = {shape->n}, .p = shape->p, .c = c, .density = shape->density, .bias = bias, .seed = 3};
  char what[128];
  DataSet ds;
  FeatureMat X;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(what, sizeof(what), "%s on %d x %d %s blocks, %s%s", type, (int)Pr, (int)Pc,
                          FeatureMatStorages[storage], shape->what, bias ? ", bias" : ""));
  PetscCall(CreateData(&s, shape->last, &ds));
  PetscCall(FeatureMatCreate(TEST_COMM, &X));
  PetscCall(FeatureMatSetType(X, type));
  PetscCall(FeatureMatSetGrid(X, Pr, Pc));
  PetscCall(FeatureMatSetStorage(X, storage));
  PetscCall(FeatureMatSetData(X, ds, c, bias));
  PetscCall(DataSetDestroy(&ds)); /* it is not kept */
  PetscCall(CheckStored(X, storage, what));
  PetscCall(CheckSizes(X, &s));
  PetscCall(Compare(X, &s, what));
  PetscCall(Through(X, what));
  PetscCall(FeatureMatDestroy(&X));
  PetscFunctionReturn(0);
}

/* The same object filled a second time. */
static PetscErrorCode Refill(FeatureMatType type)
{
  const Synthetic first = {.n = {9}, .p = 6, .c = 2, .density = 0.5, .seed = 4},
                  second = {.n = {5}, .p = 8, .c = 3, .density = 0.5, .bias = PETSC_TRUE, .seed = 5};
  DataSet ds;
  FeatureMat X;

  PetscFunctionBegin;
  PetscCall(FeatureMatCreate(TEST_COMM, &X));
  PetscCall(FeatureMatSetType(X, type));
  PetscCall(CreateData(&first, PETSC_FALSE, &ds));
  PetscCall(FeatureMatSetData(X, ds, first.c, first.bias));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(CreateData(&second, PETSC_FALSE, &ds));
  PetscCall(FeatureMatSetData(X, ds, second.c, second.bias));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(CheckSizes(X, &second));
  PetscCall(Compare(X, &second, "filled again"));
  PetscCall(FeatureMatDestroy(&X));
  PetscFunctionReturn(0);
}

/* Dense samples of few features take one pass, and then no sweeps, on one column of blocks and there alone.
 */
static PetscErrorCode OnePass(PetscInt Pr, PetscInt Pc)
{
  const Synthetic s = {.n = {70}, .p = 4, .c = 3, .density = 1, .seed = 6};
  DataSet ds;
  FeatureMat X;

  PetscFunctionBegin;
  PetscCall(CreateData(&s, PETSC_FALSE, &ds));
  for (int dense = 0; dense < 2; dense++) {
    PetscCall(FeatureMatCreate(TEST_COMM, &X));
    PetscCall(FeatureMatSetType(X, FEATUREMATGRID));
    PetscCall(FeatureMatSetGrid(X, Pr, Pc));
    PetscCall(FeatureMatSetStorage(X, dense ? FEATUREMAT_STORAGE_DENSE : FEATUREMAT_STORAGE_SPARSE));
    PetscCall(FeatureMatSetData(X, ds, s.c, PETSC_FALSE));
    CHECK(X->one_pass == (dense && Pc == 1), "one pass is %d on %d x %d blocks, dense %d", X->one_pass,
          (int)Pr, (int)Pc, dense);
    PetscCall(FeatureMatDestroy(&X));
  }
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* What only large or wide blocks come to: pieces of the shorter side, and BLAS. */
static PetscErrorCode Large(PetscInt Pr, PetscInt Pc)
{
  const Shape wide = {"pieces of the samples", 140, 150, 1, PETSC_FALSE},
              tall = {"pieces of the features", 150, 140, 1, PETSC_FALSE},
              few = {"many columns", 9, 12, 0.9, PETSC_FALSE};

  PetscFunctionBegin;
  PetscCall(Kernel(FEATUREMATGRID, FEATUREMAT_STORAGE_DENSE, Pr, Pc, &wide, 127, PETSC_FALSE));
  PetscCall(Kernel(FEATUREMATGRID, FEATUREMAT_STORAGE_DENSE, Pr, Pc, &tall, 127, PETSC_FALSE));
  PetscCall(Kernel(FEATUREMATGRID, FEATUREMAT_STORAGE_DENSE, Pr, Pc, &few, 150, PETSC_FALSE));
  PetscFunctionReturn(0);
}

/* All shapes and widths; on every grid of the ranks and of every storage, where the type has them. */
static PetscErrorCode Shapes(FeatureMatType type, const Shape shapes[], size_t n)
{
  const PetscInt c[] = {1, 2, 20};
  PetscMPIInt size;
  PetscBool grid;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(PetscStrcmp(type, FEATUREMATGRID, &grid));
  for (PetscInt Pr = 0; Pr <= (grid ? size : 0); Pr++) {
    if (Pr && size % Pr) continue;
    for (size_t i = 0; i < n; i++)
      for (int k = 0; k < 3; k++)
        for (int bias = 0; bias < 2; bias++)
          for (int storage = 0; storage < (grid ? 3 : 1); storage++)
            PetscCall(Kernel(type, (FeatureMatStorage)storage, Pr, Pr ? size / Pr : 0, &shapes[i], c[k],
                             (PetscBool)bias));
    if (grid && Pr) PetscCall(Large(Pr, size / Pr));
    if (grid && Pr) PetscCall(OnePass(Pr, size / Pr));
  }
  PetscFunctionReturn(0);
}

/* A grid that does not fit the ranks, and none. */
static PetscErrorCode BadGrids(void)
{
  const Synthetic s = {.n = {5}, .p = 4, .c = 2, .density = 0.5, .seed = 1};
  PetscMPIInt size;
  DataSet ds;
  FeatureMat X;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(CreateData(&s, PETSC_FALSE, &ds));
  PetscCall(FeatureMatCreate(TEST_COMM, &X));
  PetscCall(FeatureMatSetType(X, FEATUREMATGRID));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FeatureMatSetGrid(X, 0, 2));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, FeatureMatSetGrid(X, -1, -1));
  PetscCall(FeatureMatSetGrid(X, 2, size));
  CHECK_RAISES(PETSC_ERR_ARG_INCOMP, FeatureMatSetData(X, ds, 2, PETSC_FALSE));
  PetscCall(FeatureMatDestroy(&X));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Shape shapes[] = {{"samples and features", 17, 11, 0.4, PETSC_FALSE},
                          {"more ranks than samples", 3, 10, 0.6, PETSC_FALSE},
                          {"more ranks than features", 12, 2, 0.6, PETSC_FALSE},
                          {"one feature", 7, 1, 1, PETSC_FALSE},
                          {"one sample", 1, 9, 1, PETSC_FALSE},
                          {"empty ranks", 8, 9, 0.5, PETSC_TRUE},
                          {"no entries", 6, 5, 0, PETSC_FALSE}};
  const char **types;
  PetscInt ntypes;
  FeatureMat X;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FeatureMatGetRegistered(&ntypes, &types));
  CHECK(ntypes > 0, "no kernel is registered");
  for (PetscInt t = 0; t < ntypes; t++) {
    PetscCall(Shapes(types[t], shapes, sizeof(shapes) / sizeof(shapes[0])));
    PetscCall(Refill(types[t]));
  }
  PetscCall(PetscFree(types));
  PetscCall(BadGrids());
  PetscCall(FeatureMatCreate(TEST_COMM, &X));
  CHECK_RAISES(PETSC_ERR_ARG_UNKNOWN_TYPE, FeatureMatSetType(X, "referense"));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, FeatureMatCreateVecs(X, NULL, NULL));
  PetscCall(FeatureMatDestroy(&X));
  PetscCall(TestFinalize());
  return 0;
}
