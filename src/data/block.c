/* Blocks of a feature matrix: their storage, and the choice of the kernels for the processor at hand. */
#include "block.h"

/* ------------------------------------------------------------------ storage */

/* Counts by the major side, then places: a counting sort keeps the order of the minor side. */
static void Fill(PetscInt nentries, const FeatureMatEntry entry[], Block *X)
{
  PetscInt64 *const next = X->start + 1;

  for (PetscInt64 e = 0; e < nentries; e++)
    X->start[(X->by_features ? entry[e].feature : entry[e].sample) + 2]++;
  for (PetscInt i = 0; i < X->major; i++) X->start[i + 2] += X->start[i + 1];
  for (PetscInt64 e = 0; e < nentries; e++) {
    const PetscInt64 to = next[X->by_features ? entry[e].feature : entry[e].sample]++;
    X->at[to] = (int)(X->by_features ? entry[e].sample : entry[e].feature);
    X->value[to] = entry[e].value;
  }
}

PetscErrorCode BlockCreate(PetscInt nfeatures, PetscInt nsamples, PetscInt nentries,
                           const FeatureMatEntry entry[], Block *X)
{
  PetscFunctionBegin;
  *X = (Block){.by_features = (PetscBool)(nfeatures >= nsamples)};
  X->major = X->by_features ? nfeatures : nsamples;
  X->minor = X->by_features ? nsamples : nfeatures;
  PetscCall(PetscCalloc1(X->major + 2, &X->start));
  PetscCall(PetscMalloc1(nentries + 1, &X->at));
  PetscCall(PetscMalloc1(nentries + 1, &X->value));
  Fill(nentries, entry, X);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BlockDestroy(Block *X)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(X->start));
  PetscCall(PetscFree(X->at));
  PetscCall(PetscFree(X->value));
  *X = (Block){0};
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscLogDouble BlockGetMemory(const Block *X)
{
  return (PetscLogDouble)X->start[X->major] * (sizeof(int) + sizeof(PetscScalar)) +
         (PetscLogDouble)(X->major + 2) * sizeof(PetscInt64);
}

/* ------------------------------------------------------------------ kernels */

static const BlockKernels *chosen = NULL;

/* The best first. */
static const BlockKernels *const all[] = {
#if defined(BLOCK_X86)
    &BlockKernels_avx512, &BlockKernels_avx2,
#endif
    &BlockKernels_plain};

static const BlockKernels *Kernels(void)
{
  for (size_t i = 0; !chosen; i++)
    if ((*all[i]->runs)()) chosen = all[i];
  return chosen;
}

PetscBool BlockUseKernels(const char name[])
{
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    if (strcmp(all[i]->name, name) != 0 || !(*all[i]->runs)()) continue;
    chosen = all[i];
    return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Plain loops, for products that are rare. */
static void GatherSquares(const Block *X, PetscInt c, const PetscScalar in[], PetscScalar out[])
{
  for (PetscInt j = 0; j < X->major; j++)
    for (PetscInt64 e = X->start[j]; e < X->start[j + 1]; e++)
      for (PetscInt k = 0; k < c; k++)
        out[(PetscInt64)j * c + k] += X->value[e] * X->value[e] * in[(PetscInt64)X->at[e] * c + k];
}

static void ScatterSquares(const Block *X, PetscInt c, const PetscScalar in[], PetscScalar out[])
{
  for (PetscInt j = 0; j < X->major; j++)
    for (PetscInt64 e = X->start[j]; e < X->start[j + 1]; e++)
      for (PetscInt k = 0; k < c; k++)
        out[(PetscInt64)X->at[e] * c + k] += X->value[e] * X->value[e] * in[(PetscInt64)j * c + k];
}

static void Clear(PetscInt rows, PetscInt c, PetscScalar x[])
{
  for (PetscInt64 k = 0; k < (PetscInt64)rows * c; k++) x[k] = 0;
}

void BlockMult(const Block *X, PetscInt c, const PetscScalar w[], PetscScalar z[])
{
  if (X->by_features) {
    Clear(X->minor, c, z);
    Kernels()->scatter(X, c, w, z);
  } else {
    Kernels()->gather(X, c, w, z);
  }
}

void BlockMultTranspose(const Block *X, PetscInt c, PetscBool squared, const PetscScalar r[], PetscScalar g[])
{
  if (X->by_features && !squared) {
    Kernels()->gather(X, c, r, g);
    return;
  }
  Clear(X->by_features ? X->major : X->minor, c, g);
  if (X->by_features)
    GatherSquares(X, c, r, g);
  else if (squared)
    ScatterSquares(X, c, r, g);
  else
    Kernels()->scatter(X, c, r, g);
}

/* Without b its coefficients are 0 and a stands in for it. */
static FeatureMatUpdate WithoutSecond(const FeatureMatUpdate *update)
{
  return (FeatureMatUpdate){.keep = update->keep, .a0 = update->a0, .a1 = update->a1, .s = update->s};
}

void BlockSweep(const Block *X, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                PetscScalar z[], PetscReal sums[2])
{
  const FeatureMatUpdate u = b ? *update : WithoutSecond(update);

  sums[0] = sums[1] = 0;
  if (z) Clear(X->minor, c, z);
  Kernels()->sweep(X, c, D, &u, r, a, b ? b : a, y, z, sums);
}

void BlockUpdateRows(PetscInt rows, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                     const PetscScalar g[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                     PetscReal sums[2])
{
  const FeatureMatUpdate u = b ? *update : WithoutSecond(update);

  sums[0] = sums[1] = 0;
  Kernels()->update(rows, c, D, &u, g, a, b ? b : a, y, sums);
}

void BlockSweepCG(const Block *X, PetscInt c, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                  PetscReal beta, const PetscScalar r[], PetscScalar x[], PetscScalar res[], PetscScalar p[],
                  PetscScalar z[], PetscReal sums[3])
{
  sums[0] = sums[1] = sums[2] = 0;
  Clear(X->minor, c, z);
  Kernels()->sweepcg(X, c, D, s, alpha, beta, r, x, res, p, z, sums);
}

void BlockUpdateRowsCG(PetscInt rows, PetscInt c, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                       PetscReal beta, const PetscScalar g[], PetscScalar x[], PetscScalar res[],
                       PetscScalar p[], PetscReal sums[3])
{
  sums[0] = sums[1] = sums[2] = 0;
  Kernels()->updatecg(rows, c, D, s, alpha, beta, g, x, res, p, sums);
}
