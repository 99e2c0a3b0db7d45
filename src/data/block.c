/* Blocks of a feature matrix: their storage, and the choice of the kernels for the processor at hand. */
#include "block.h"

/* ------------------------------------------------------------------ storage */

/* A panel holds a piece of 32 columns of so many rows in 48 KiB; 30 KiB for the 20 columns of text. */
enum { PANEL_ROWS = 192 };
/* Entries a minor row has in a panel at least, on the average: below, loading it once for all gains nothing.
 */
static const PetscReal panel_fill = 4;

static PetscInt Major(const Block *X, const FeatureMatEntry *e)
{
  return X->by_features ? e->feature : e->sample;
}

static PetscInt Minor(const Block *X, const FeatureMatEntry *e)
{
  return X->by_features ? e->sample : e->feature;
}

/* Gives the rows that have enough of the start[i + 1] entries a place in the panels. */
static PetscErrorCode ChoosePanels(Block *X)
{
  const PetscReal enough = panel_fill / PANEL_ROWS * (PetscReal)X->minor;
  PetscInt rows = 0;
  PetscInt64 sum = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < X->major; i++) {
    X->place[i] = -1;
    if (X->start[i + 1] == 0 || (PetscReal)X->start[i + 1] < enough) continue;
    X->place[i] = (int)rows++;
    sum += X->start[i + 1];
  }
  if ((PetscReal)sum < panel_fill * (PetscReal)X->minor) {
    for (PetscInt i = 0; i < X->major; i++) X->place[i] = -1;
    rows = 0;
  }
  if (!rows) PetscFunctionReturn(PETSC_SUCCESS);
  X->npanels = (rows + PANEL_ROWS - 1) / PANEL_ROWS;
  X->capacity = (rows + X->npanels - 1) / X->npanels;
  PetscCall(PetscCalloc1(X->npanels, &X->panel));
  for (int i = 0; i < 2; i++) PetscCall(PetscMalloc1(X->npanels * X->capacity * BLOCK_WIDEST, &X->row[i]));
  PetscCall(PetscMalloc1(rows, &X->heavy));
  for (PetscInt i = 0; i < X->major; i++)
    if (X->place[i] >= 0) X->heavy[X->place[i]] = i;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void AddUp(PetscInt rows, PetscInt64 start[])
{
  for (PetscInt i = 0; i < rows; i++) start[i + 1] += start[i];
}

/* The panel of an entry; NULL if none has it. */
static Panel *InPanel(const Block *X, const FeatureMatEntry *e)
{
  const int place = X->place[Major(X, e)];

  return place < 0 ? NULL : &X->panel[place / X->capacity];
}

/* Counting sorts, which keep the order in which the entries come: counts at i + 2, added up, are the places
   at i + 1 where row i begins, and where it ends once they have moved on with its entries. */
static PetscErrorCode FillPanels(PetscInt nentries, const FeatureMatEntry entry[], Block *X)
{
  Panel *panel;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < X->npanels; k++) PetscCall(PetscCalloc1(X->minor + 2, &X->panel[k].start));
  for (PetscInt e = 0; e < nentries; e++)
    if ((panel = InPanel(X, &entry[e]))) panel->start[Minor(X, &entry[e]) + 2]++;
  for (PetscInt k = 0; k < X->npanels; k++) {
    panel = &X->panel[k];
    AddUp(X->minor, panel->start + 1);
    PetscCall(PetscMalloc1(panel->start[X->minor + 1] + 1, &panel->at));
    PetscCall(PetscMalloc1(panel->start[X->minor + 1] + 1, &panel->value));
  }
  for (PetscInt e = 0; e < nentries; e++) {
    if (!(panel = InPanel(X, &entry[e]))) continue;
    const PetscInt64 to = panel->start[Minor(X, &entry[e]) + 1]++;
    panel->at[to] = (unsigned char)(X->place[Major(X, &entry[e])] % X->capacity);
    panel->value[to] = entry[e].value;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The rows that are in no panel. */
static PetscErrorCode FillRows(PetscInt nentries, const FeatureMatEntry entry[], Block *X)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(X->start, X->major + 2));
  for (PetscInt e = 0; e < nentries; e++)
    if (X->place[Major(X, &entry[e])] < 0) X->start[Major(X, &entry[e]) + 2]++;
  AddUp(X->major, X->start + 1);
  PetscCall(PetscMalloc1(X->start[X->major + 1] + 1, &X->at));
  PetscCall(PetscMalloc1(X->start[X->major + 1] + 1, &X->value));
  for (PetscInt e = 0; e < nentries; e++) {
    if (X->place[Major(X, &entry[e])] >= 0) continue;
    const PetscInt64 to = X->start[Major(X, &entry[e]) + 1]++;
    X->at[to] = (int)Minor(X, &entry[e]);
    X->value[to] = entry[e].value;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BlockCreate(PetscInt nfeatures, PetscInt nsamples, PetscInt nentries,
                           const FeatureMatEntry entry[], Block *X)
{
  PetscFunctionBegin;
  *X = (Block){.by_features = (PetscBool)(nfeatures >= nsamples), .nentries = nentries};
  X->major = X->by_features ? nfeatures : nsamples;
  X->minor = X->by_features ? nsamples : nfeatures;
  PetscCall(PetscCalloc1(X->major + 2, &X->start));
  PetscCall(PetscMalloc1(X->major + 1, &X->place));
  for (PetscInt e = 0; e < nentries; e++) X->start[Major(X, &entry[e]) + 1]++;
  PetscCall(ChoosePanels(X));
  PetscCall(FillPanels(nentries, entry, X));
  PetscCall(FillRows(nentries, entry, X));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BlockDestroy(Block *X)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(X->start));
  PetscCall(PetscFree(X->at));
  PetscCall(PetscFree(X->value));
  PetscCall(PetscFree(X->place));
  for (PetscInt k = 0; k < X->npanels; k++) {
    PetscCall(PetscFree(X->panel[k].start));
    PetscCall(PetscFree(X->panel[k].at));
    PetscCall(PetscFree(X->panel[k].value));
  }
  PetscCall(PetscFree(X->panel));
  PetscCall(PetscFree(X->heavy));
  for (int i = 0; i < 2; i++) PetscCall(PetscFree(X->row[i]));
  *X = (Block){0};
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscLogDouble BlockGetMemory(const Block *X)
{
  const PetscLogDouble light = (PetscLogDouble)X->start[X->major];

  return (PetscLogDouble)X->nentries * sizeof(PetscScalar) + light * sizeof(int) +
         ((PetscLogDouble)X->nentries - light) * sizeof(unsigned char) +
         (PetscLogDouble)(X->major + X->npanels * X->minor) * sizeof(PetscInt64) +
         (PetscLogDouble)X->major * sizeof(int) +
         2.0 * (PetscLogDouble)(X->npanels * X->capacity * BLOCK_WIDEST) * sizeof(PetscScalar);
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

/* For products that are rare, entry by entry: out += M in of the squares, or M^T in. */
static void AddSquare(PetscBool transposed, PetscInt c, PetscInt major, PetscInt minor, PetscScalar value,
                      const PetscScalar in[], PetscScalar out[])
{
  const PetscInt64 from = (PetscInt64)(transposed ? major : minor) * c;
  const PetscInt64 to = (PetscInt64)(transposed ? minor : major) * c;

  for (PetscInt k = 0; k < c; k++) out[to + k] += value * value * in[from + k];
}

static void AddSquares(const Block *X, PetscBool transposed, PetscInt c, const PetscScalar in[],
                       PetscScalar out[])
{
  for (PetscInt j = 0; j < X->major; j++)
    for (PetscInt64 e = X->start[j]; e < X->start[j + 1]; e++)
      AddSquare(transposed, c, j, X->at[e], X->value[e], in, out);
  for (PetscInt k = 0; k < X->npanels; k++) {
    const Panel *panel = &X->panel[k];
    for (PetscInt i = 0; i < X->minor; i++)
      for (PetscInt64 e = panel->start[i]; e < panel->start[i + 1]; e++)
        AddSquare(transposed, c, X->heavy[k * X->capacity + panel->at[e]], i, panel->value[e], in, out);
  }
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
  if (squared)
    AddSquares(X, (PetscBool)!X->by_features, c, r, g);
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

void BlockSweepBeside(const Block *X, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                      const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                      PetscScalar z[], const PetscScalar x[], PetscReal cross[], PetscScalar zx[],
                      PetscReal sums[2])
{
  const FeatureMatUpdate u = b ? *update : WithoutSecond(update);

  sums[0] = sums[1] = 0;
  Clear(X->minor, c, z);
  Clear(X->minor, c, zx);
  Kernels()->sweepbeside(X, c, D, &u, r, a, b ? b : a, y, z, x, cross, zx, sums);
}

void BlockCross(PetscInt rows, PetscInt c, PetscInt share, const PetscScalar y[], const PetscScalar x[],
                PetscReal cross[])
{
  for (PetscInt64 j = 0; j < (PetscInt64)rows * c; j += share) {
    PetscReal sum = 0;
    for (PetscInt k = 0; k < share; k++) sum += y[j + k] * x[j + k];
    cross[j / share] = sum;
  }
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
