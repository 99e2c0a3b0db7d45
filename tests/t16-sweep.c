/* Sweeps of a feature matrix against products and vector operations one after another, with the reference
   kernels: on every grid, for widths that are cut into several pieces, with every family of kernels. */
#include <twofold/impl/featurematimpl.h>
#include "block.h"
#include "problem.h"

static const PetscReal tolerance = 1e-13;

typedef struct {
  FeatureMat X, reference;
  PetscInt c, share;
  PetscReal *weight; /* NULL: none */
  Vec D;             /* likewise as a vector */
  Vec R, a, b, plus;
} Case;

static PetscErrorCode Matrix(DataSet ds, FeatureMatType type, FeatureMatStorage storage, PetscInt Pr,
                             PetscInt Pc, PetscInt c, PetscInt plocal, FeatureMat *X)
{
  PetscFunctionBegin;
  PetscCall(FeatureMatCreate(TEST_COMM, X));
  PetscCall(FeatureMatSetType(*X, type));
  PetscCall(FeatureMatSetGrid(*X, Pr, Pc));
  PetscCall(FeatureMatSetStorage(*X, storage));
  PetscCall(FeatureMatSetLocalFeatures(*X, plocal));
  PetscCall(FeatureMatSetData(*X, ds, c, PETSC_FALSE));
  PetscFunctionReturn(0);
}

/* share: entries of W for one weight; 0: no weights. */
static PetscErrorCode CaseCreate(const Synthetic *s, FeatureMatStorage storage, PetscInt Pr, PetscInt Pc,
                                 PetscInt share, Case *k)
{
  PetscInt plocal, n;
  PetscScalar *d;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(SyntheticDataSet(TEST_COMM, s, 0, &ds));
  k->c = s->c;
  k->share = share ? share : s->c;
  PetscCall(Matrix(ds, FEATUREMATGRID, storage, Pr, Pc, s->c, PETSC_DECIDE, &k->X));
  PetscCall(FeatureMatGetLocalFeatures(k->X, &plocal));
  PetscCall(Matrix(ds, FEATUREMATREFERENCE, storage, 0, 0, s->c, plocal, &k->reference));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(FeatureMatCreateVecs(k->X, &k->a, &k->R));
  PetscCall(VecDuplicate(k->a, &k->b));
  PetscCall(VecDuplicate(k->a, &k->D));
  PetscCall(VecDuplicate(k->a, &k->plus));
  PetscCall(TwofoldVecSetRandomNormal(k->R, 1));
  PetscCall(TwofoldVecSetRandomNormal(k->a, 2));
  PetscCall(TwofoldVecSetRandomNormal(k->b, 3));
  PetscCall(TwofoldVecSetRandomNormal(k->D, 4));
  PetscCall(TwofoldVecSetRandomNormal(k->plus, 5));
  k->weight = NULL;
  if (share) PetscCall(PetscMalloc1(plocal * s->c / share + 1, &k->weight));
  PetscCall(VecGetLocalSize(k->D, &n));
  PetscCall(VecGetArray(k->D, &d));
  for (PetscInt i = 0; i < n; i++) {
    if (share && i % share == 0) k->weight[i / share] = PetscAbsReal(d[i]);
    d[i] = share ? k->weight[i / share] : 0;
  }
  PetscCall(VecRestoreArray(k->D, &d));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(FeatureMatDestroy(&k->X));
  PetscCall(FeatureMatDestroy(&k->reference));
  PetscCall(PetscFree(k->weight));
  PetscCall(VecDestroy(&k->D));
  PetscCall(VecDestroy(&k->plus));
  PetscCall(VecDestroy(&k->R));
  PetscCall(VecDestroy(&k->a));
  PetscCall(VecDestroy(&k->b));
  PetscFunctionReturn(0);
}

/* ||x - y|| <= tolerance (||y|| + 1) */
static PetscErrorCode Near(Vec x, Vec y, const char what[], const char where[])
{
  PetscReal scale, difference;
  Vec d;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(x, &d));
  PetscCall(VecWAXPY(d, -1, y, x));
  PetscCall(VecNorm(d, NORM_2, &difference));
  PetscCall(VecNorm(y, NORM_2, &scale));
  PetscCall(VecDestroy(&d));
  CHECK(difference <= tolerance * (scale + 1), "%s of %s differs by %g", what, where, difference);
  PetscFunctionReturn(0);
}

static PetscErrorCode NearNumber(PetscReal x, PetscReal y, const char what[], const char where[])
{
  PetscFunctionBegin;
  CHECK(PetscAbsReal(x - y) <= tolerance * (PetscAbsReal(y) + 1), "%s of %s: %.17g instead of %.17g", what,
        where, x, y);
  PetscFunctionReturn(0);
}

/* What the sweep has written is known: its product comes from memory, and after another change it does not.
 */
static PetscErrorCode Product(const Case *k, Vec y, const char where[])
{
  Vec z, expected;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->R, &z));
  PetscCall(VecDuplicate(k->R, &expected));
  for (int changed = 0; changed < 2; changed++) {
    PetscCall(FeatureMatMult(k->X, y, z));
    PetscCall(FeatureMatMult(k->reference, y, expected));
    PetscCall(Near(z, expected, changed ? "the product after a change" : "the product", where));
    PetscCall(VecScale(y, 1.5));
  }
  PetscCall(VecDestroy(&z));
  PetscCall(VecDestroy(&expected));
  PetscFunctionReturn(0);
}

/* y = keep a + a0 a + a1 D a + b0 b + b1 D b + e (a - b) + s X^T R, and plus, by vector operations, and the
 * sums. */
static PetscErrorCode Expected(const Case *k, const FeatureMatUpdate *u, Vec b, Vec y, PetscReal sums[2])
{
  Vec work;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(y, &work));
  PetscCall(FeatureMatMultTranspose(k->reference, k->R, y));
  PetscCall(VecScale(y, u->s));
  PetscCall(VecAXPY(y, u->a0, k->a));
  PetscCall(VecPointwiseMult(work, k->D, k->a));
  PetscCall(VecAXPY(y, u->a1, work));
  sums[1] = 0;
  if (b) {
    PetscCall(VecAXPY(y, u->b0, b));
    PetscCall(VecPointwiseMult(work, k->D, b));
    PetscCall(VecAXPY(y, u->b1, work));
    PetscCall(VecWAXPY(work, -1, b, k->a));
    PetscCall(VecNorm(work, NORM_2, &sums[1]));
    PetscCall(VecAXPY(y, u->e, work));
  }
  if (u->plus) PetscCall(VecAXPY(y, 1, k->plus));
  PetscCall(VecNorm(y, NORM_2, &sums[0]));
  PetscCall(VecAXPY(y, u->keep, k->a));
  PetscCall(VecDestroy(&work));
  PetscFunctionReturn(0);
}

/* place: 0: y is a vector of its own, 1: it is a, 2: b; 3: there is no b. */
static PetscErrorCode Sweep(const Case *k, int place, const char where[])
{
  FeatureMatUpdate update = {.keep = 1, .a0 = 0.3, .a1 = -0.4, .b0 = -0.9, .b1 = 0.2, .e = 0.6, .s = -0.7};
  const FeatureMatDiagonal D = {k->weight, k->share};
  PetscReal sums[2], expected[2];
  Vec a, b, own, y, z;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->a, &a));
  PetscCall(VecDuplicate(k->a, &b));
  PetscCall(VecDuplicate(k->a, &own));
  PetscCall(VecDuplicate(k->a, &z));
  PetscCall(VecCopy(k->a, a));
  PetscCall(VecCopy(k->b, b));
  y = place == 1 ? a : place == 2 ? b : own;
  PetscCall(VecGetArrayRead(k->plus, &update.plus));
  PetscCall(Expected(k, &update, place == 3 ? NULL : k->b, z, expected));
  PetscCall(
      FeatureMatSweep_Private(k->X, D, &update, k->R, a, place == 3 ? NULL : b, y, PETSC_TRUE, NULL, sums));
  PetscCall(Near(y, z, "the sweep", where));
  PetscCall(NearNumber(PetscSqrtReal(sums[0]), expected[0], "what moved", where));
  PetscCall(NearNumber(PetscSqrtReal(sums[1]), expected[1], "the distance", where));
  PetscCall(Product(k, y, where));
  if (place != 1) { /* nothing is remembered of a sweep without its product */
    PetscCall(FeatureMatSweep_Private(k->X, D, &update, k->R, a, NULL, own, PETSC_FALSE, NULL, NULL));
    PetscCall(Product(k, own, where));
  }
  PetscCall(VecRestoreArrayRead(k->plus, &update.plus));
  PetscCall(VecDestroy(&a));
  PetscCall(VecDestroy(&b));
  PetscCall(VecDestroy(&own));
  PetscCall(VecDestroy(&z));
  PetscFunctionReturn(0);
}

/* cross_j = sum of y x over the entries of a weight */
static PetscErrorCode Cross(const Case *k, Vec y, Vec x, const PetscReal cross[], const char where[])
{
  const PetscScalar *a, *b;
  PetscReal worst = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(y, &n));
  PetscCall(VecGetArrayRead(y, &a));
  PetscCall(VecGetArrayRead(x, &b));
  for (PetscInt j = 0; j < n; j += k->share) {
    PetscReal sum = 0;
    for (PetscInt i = j; i < j + k->share; i++) sum += a[i] * b[i];
    worst = PetscMax(worst, PetscAbsReal(cross[j / k->share] - sum) / (1 + PetscAbsReal(sum)));
  }
  PetscCall(VecRestoreArrayRead(x, &b));
  PetscCall(VecRestoreArrayRead(y, &a));
  CHECK(worst <= tolerance, "a cross product of %s differs by %g", where, worst);
  PetscFunctionReturn(0);
}

/* A sweep that looks at another vector beside, twice, as itd's steps follow each other: place as above. */
static PetscErrorCode Beside(const Case *k, int place, const char where[])
{
  const FeatureMatUpdate update = {.keep = 1.8, .b0 = place == 3 ? 0 : -0.8, .a1 = -0.4, .s = -0.7};
  const FeatureMatDiagonal D = {k->weight, k->share};
  FeatureMatBeside beside;
  PetscReal sums[2];
  Vec a, b, own, y, z;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->a, &a));
  PetscCall(VecDuplicate(k->a, &b));
  PetscCall(VecDuplicate(k->a, &own));
  PetscCall(VecDuplicate(k->a, &z));
  PetscCall(VecDuplicate(k->a, &beside.x));
  PetscCall(VecGetLocalSize(k->a, &n));
  PetscCall(PetscMalloc1(n / k->share + 1, &beside.cross));
  PetscCall(VecCopy(k->b, b));
  y = place == 1 ? a : place == 2 ? b : own;
  for (int step = 0; step < 2; step++) {
    PetscCall(VecCopy(k->a, a));
    PetscCall(VecCopy(k->b, b));
    PetscCall(TwofoldVecSetRandomNormal(beside.x, 30 + step));
    PetscCall(Expected(k, &update, place == 3 ? NULL : k->b, z, sums));
    PetscCall(FeatureMatSweep_Private(k->X, D, &update, k->R, a, place == 3 ? NULL : b, y, PETSC_TRUE,
                                      &beside, NULL));
    PetscCall(Near(y, z, "the sweep with another vector beside", where));
    PetscCall(Cross(k, y, beside.x, beside.cross, where));
    PetscCall(Product(k, y, where));
    PetscCall(Product(k, beside.x, where));
  }
  PetscCall(PetscFree(beside.cross));
  PetscCall(VecDestroy(&beside.x));
  PetscCall(VecDestroy(&a));
  PetscCall(VecDestroy(&b));
  PetscCall(VecDestroy(&own));
  PetscCall(VecDestroy(&z));
  PetscFunctionReturn(0);
}

static PetscErrorCode ConjugateGradients(const Case *k, const char where[])
{
  const PetscReal s = 0.6, alpha = 0.3, beta = 0.8;
  const FeatureMatDiagonal D = {k->weight, k->share};
  PetscReal sums[3];
  PetscScalar expected[3];
  Vec v[3], e[3], g; /* x, res, p */

  PetscFunctionBegin;
  for (int i = 0; i < 3; i++) {
    PetscCall(VecDuplicate(k->a, &v[i]));
    PetscCall(VecDuplicate(k->a, &e[i]));
    PetscCall(TwofoldVecSetRandomNormal(v[i], 20 + i));
    PetscCall(VecCopy(v[i], e[i]));
  }
  PetscCall(VecDuplicate(k->a, &g));
  PetscCall(VecAYPX(e[2], beta, e[1]));
  PetscCall(VecAXPY(e[0], alpha, e[2]));
  PetscCall(FeatureMatMultTranspose(k->reference, k->R, g));
  PetscCall(VecAXPY(e[1], -alpha * s, g));
  PetscCall(VecPointwiseMult(g, k->D, e[2]));
  PetscCall(VecAXPY(e[1], -alpha * s, g));
  PetscCall(VecDot(e[1], g, &expected[2]));
  PetscCall(VecPointwiseMult(g, k->D, e[1]));
  PetscCall(VecDot(e[1], g, &expected[1]));
  PetscCall(VecDot(e[1], e[1], &expected[0]));
  PetscCall(FeatureMatSweepCG_Private(k->X, D, s, alpha, beta, k->R, v[0], v[1], v[2], sums));
  for (int i = 0; i < 3; i++) {
    PetscCall(Near(v[i], e[i], i == 0 ? "x" : i == 1 ? "the residual" : "the direction", where));
    PetscCall(NearNumber(sums[i], expected[i], "a sum of conjugate gradients", where));
  }
  PetscCall(Product(k, v[1], where));
  PetscCall(VecDestroy(&g));
  for (int i = 0; i < 3; i++) {
    PetscCall(VecDestroy(&v[i]));
    PetscCall(VecDestroy(&e[i]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Blocks(const Synthetic *s, FeatureMatStorage storage, PetscInt Pr, PetscInt Pc,
                             PetscInt share, const char kernels[])
{
  char where[128];
  Case k;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(where, sizeof(where), "%d x %d %s blocks, c %d, share %d, %s", (int)Pr, (int)Pc,
                          FeatureMatStorages[storage], (int)s->c, (int)share, kernels));
  PetscCall(CaseCreate(s, storage, Pr, Pc, share, &k));
  for (int place = 0; place < 4; place++) {
    PetscCall(Sweep(&k, place, where));
    PetscCall(Beside(&k, place, where));
  }
  PetscCall(ConjugateGradients(&k, where));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* One width on every grid of the ranks. */
static PetscErrorCode Grids(const Synthetic *s, PetscInt share, const char kernels[])
{
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  for (PetscMPIInt Pr = 1; Pr <= size; Pr++) {
    if (size % Pr) continue;
    PetscCall(Blocks(s, FEATUREMAT_STORAGE_SPARSE, Pr, size / Pr, share, kernels));
    PetscCall(Blocks(s, FEATUREMAT_STORAGE_DENSE, Pr, size / Pr, share, kernels));
  }
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const char *const kernels[] = {"avx512", "avx2", "plain"};
  const PetscInt c[] = {1, 2, 3, 20, 61};

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  for (int i = 0; i < 3; i++) {
    if (!BlockUseKernels(kernels[i])) continue;
    for (int m = 0; m < 5; m++) {
      /* more features than samples, and fewer: the block is compressed the other way */
      const Synthetic s = {.n = {9}, .p = 17, .c = c[m], .density = 0.4, .seed = 3},
                      tall = {.n = {17}, .p = 9, .c = c[m], .density = 0.4, .seed = 3},
                      many = {.n = {9}, .p = 90, .c = c[m], .density = 0.4, .seed = 3};
      PetscCall(Grids(&s, c[m], kernels[i]));
      PetscCall(Grids(&s, 1, kernels[i]));
      PetscCall(Grids(&tall, c[m], kernels[i]));
      PetscCall(Grids(&many, 1, kernels[i])); /* of which a dense block takes some at a time */
    }
    const Synthetic s = {.n = {9}, .p = 17, .c = 5, .density = 0.4, .seed = 3};
    PetscCall(Grids(&s, 0, kernels[i]));
  }
  PetscCall(TestFinalize());
  return 0;
}
