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

static PetscErrorCode FillDense(PetscInt c, PetscInt nentries, const FeatureMatEntry entry[], Block *X)
{
  PetscFunctionBegin;
  X->nentries = (PetscInt64)X->major * X->minor;
  PetscCall(PetscCalloc1((size_t)X->nentries + 1, &X->value));
  PetscCall(PetscMalloc1(BLOCK_ROWS * c, &X->row[0]));
  for (PetscInt e = 0; e < nentries; e++)
    X->value[(PetscInt64)Major(X, &entry[e]) * X->minor + Minor(X, &entry[e])] += entry[e].value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A dense block goes through an entry about five times as fast, zeros or not; where two thirds are zeros it
   takes twice the memory of a sparse one. */
static PetscBool IsDense(PetscInt nfeatures, PetscInt nsamples, FeatureMatStorage storage, PetscInt nentries)
{
  if (storage != FEATUREMAT_STORAGE_AUTO) return (PetscBool)(storage == FEATUREMAT_STORAGE_DENSE);
  return (PetscBool)(nentries > 0 && 3 * (PetscReal)nentries >= (PetscReal)nfeatures * (PetscReal)nsamples);
}

PetscErrorCode BlockCreate(PetscInt nfeatures, PetscInt nsamples, PetscInt c, FeatureMatStorage storage,
                           PetscInt nentries, const FeatureMatEntry entry[], Block *X)
{
  PetscFunctionBegin;
  *X = (Block){.by_features = (PetscBool)(nfeatures >= nsamples),
               .dense = IsDense(nfeatures, nsamples, storage, nentries),
               .nentries = nentries};
  X->major = X->by_features ? nfeatures : nsamples;
  X->minor = X->by_features ? nsamples : nfeatures;
  if (X->dense) {
    PetscCall(FillDense(c, nentries, entry, X));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
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
  if (X->dense) return (PetscLogDouble)X->nentries * sizeof(PetscScalar);
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

const BlockKernels *BlockGetKernels(void)
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

/* out = M in, or of the squares */
static void Gather(const Block *X, PetscInt c, PetscBool squared, const PetscScalar in[], PetscScalar out[])
{
  if (X->dense) {
    BlockDenseGather(X, c, squared, 0, X->major, in, out);
  } else if (squared) {
    Clear(X->major, c, out);
    AddSquares(X, PETSC_FALSE, c, in, out);
  } else {
    BlockGetKernels()->gather(X, c, in, out);
  }
}

/* out = M^T in, likewise */
static void Scatter(const Block *X, PetscInt c, PetscBool squared, const PetscScalar in[], PetscScalar out[])
{
  Clear(X->minor, c, out);
  if (X->dense)
    BlockDenseScatter(X, c, squared, 0, X->major, in, out);
  else if (squared)
    AddSquares(X, PETSC_TRUE, c, in, out);
  else
    BlockGetKernels()->scatter(X, c, in, out);
}

void BlockMult(const Block *X, PetscInt c, const PetscScalar w[], PetscScalar z[])
{
  (X->by_features ? Scatter : Gather)(X, c, PETSC_FALSE, w, z);
}

void BlockMultTranspose(const Block *X, PetscInt c, PetscBool squared, const PetscScalar r[], PetscScalar g[])
{
  (X->by_features ? Gather : Scatter)(X, c, squared, r, g);
}

/* The samples of one piece are to stay in the cache, and w and g. */
PetscBool BlockIsOnePass(const Block *X, PetscInt c)
{
  const PetscInt64 most = 131072; /* 1 MB */

  if (!X->major || !X->minor) return PETSC_TRUE;
  return (PetscBool)(X->dense && !X->by_features && (PetscInt64)X->minor * (BLOCK_ROWS + 2 * c) <= most);
}

PetscErrorCode BlockMultThrough(const Block *X, PetscInt c, FeatureMatRows f, void *ctx,
                                const PetscScalar w[], PetscScalar z[], PetscScalar g[])
{
  const PetscInt samples = X->by_features ? X->minor : X->major;

  PetscFunctionBegin;
  if (!X->dense || !BlockIsOnePass(X, c)) {
    BlockMult(X, c, w, z);
    PetscCall((*f)(ctx, 0, samples, z));
    BlockMultTranspose(X, c, PETSC_FALSE, z, g);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  Clear(X->minor, c, g);
  for (PetscInt first = 0; first < samples; first += BLOCK_ROWS) {
    const PetscInt rows = PetscMin(BLOCK_ROWS, samples - first);
    PetscScalar *const piece = z + (PetscInt64)first * c;
    BlockDenseGather(X, c, PETSC_FALSE, first, rows, w, piece);
    PetscCall((*f)(ctx, first, rows, piece));
    BlockDenseScatter(X, c, PETSC_FALSE, first, rows, piece, g);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* D of the rows from `first` on */
static FeatureMatDiagonal From(FeatureMatDiagonal D, PetscInt c, PetscInt first)
{
  if (D.weight) D.weight += (PetscInt64)first * c / D.share;
  return D;
}

/* The update of the entries from `at` on */
static FeatureMatUpdate UpdateFrom(const FeatureMatUpdate *update, PetscInt64 at)
{
  FeatureMatUpdate u = *update;

  if (u.plus) u.plus += at;
  return u;
}

/* Without b its coefficients are 0 and a stands in for it. */
static FeatureMatUpdate WithoutSecond(const FeatureMatUpdate *update)
{
  return (FeatureMatUpdate){
      .keep = update->keep, .a0 = update->a0, .a1 = update->a1, .s = update->s, .plus = update->plus};
}

/* A few features at a time, whose entries stay in the cache from gather to scatter. */
static void SweepDense(const Block *X, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                       const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                       PetscScalar z[], PetscReal sums[2])
{
  for (PetscInt first = 0; first < X->major; first += BLOCK_ROWS) {
    const PetscInt rows = PetscMin(BLOCK_ROWS, X->major - first);
    const PetscInt64 at = (PetscInt64)first * c;
    const FeatureMatUpdate u = UpdateFrom(update, at);
    BlockDenseGather(X, c, PETSC_FALSE, first, rows, r, X->row[0]);
    BlockGetKernels()->update(rows, c, From(D, c, first), &u, X->row[0], a + at, b + at, y + at, sums);
    if (z) BlockDenseScatter(X, c, PETSC_FALSE, first, rows, y + at, z);
  }
}

void BlockSweep(const Block *X, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                const PetscScalar r[], const PetscScalar a[], const PetscScalar b[], PetscScalar y[],
                PetscScalar z[], PetscReal sums[2])
{
  const FeatureMatUpdate u = b ? *update : WithoutSecond(update);

  sums[0] = sums[1] = 0;
  if (z) Clear(X->minor, c, z);
  (X->dense ? SweepDense : BlockGetKernels()->sweep)(X, c, D, &u, r, a, b ? b : a, y, z, sums);
}

static void SweepDenseBeside(const Block *X, PetscInt c, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                             const PetscScalar r[], const PetscScalar a[], const PetscScalar b[],
                             PetscScalar y[], PetscScalar z[], const PetscScalar x[], PetscReal cross[],
                             PetscScalar zx[], PetscReal sums[2])
{
  for (PetscInt first = 0; first < X->major; first += BLOCK_ROWS) {
    const PetscInt rows = PetscMin(BLOCK_ROWS, X->major - first);
    const PetscInt64 at = (PetscInt64)first * c;
    const FeatureMatUpdate u = UpdateFrom(update, at);
    BlockDenseGather(X, c, PETSC_FALSE, first, rows, r, X->row[0]);
    BlockGetKernels()->update(rows, c, From(D, c, first), &u, X->row[0], a + at, b + at, y + at, sums);
    BlockDenseScatter(X, c, PETSC_FALSE, first, rows, y + at, z);
    BlockCross(rows, c, D.share, y + at, x + at, cross + at / D.share);
    BlockDenseScatter(X, c, PETSC_FALSE, first, rows, x + at, zx);
  }
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
  (X->dense ? SweepDenseBeside : BlockGetKernels()->sweepbeside)(X, c, D, &u, r, a, b ? b : a, y, z, x, cross,
                                                                 zx, sums);
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
  BlockGetKernels()->update(rows, c, D, &u, g, a, b ? b : a, y, sums);
}

static void SweepDenseCG(const Block *X, PetscInt c, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                         PetscReal beta, const PetscScalar r[], PetscScalar x[], PetscScalar res[],
                         PetscScalar p[], PetscScalar z[], PetscReal sums[3])
{
  for (PetscInt first = 0; first < X->major; first += BLOCK_ROWS) {
    const PetscInt rows = PetscMin(BLOCK_ROWS, X->major - first);
    const PetscInt64 at = (PetscInt64)first * c;
    BlockDenseGather(X, c, PETSC_FALSE, first, rows, r, X->row[0]);
    BlockGetKernels()->updatecg(rows, c, From(D, c, first), s, alpha, beta, X->row[0], x + at, res + at,
                                p + at, sums);
    BlockDenseScatter(X, c, PETSC_FALSE, first, rows, res + at, z);
  }
}

void BlockSweepCG(const Block *X, PetscInt c, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                  PetscReal beta, const PetscScalar r[], PetscScalar x[], PetscScalar res[], PetscScalar p[],
                  PetscScalar z[], PetscReal sums[3])
{
  sums[0] = sums[1] = sums[2] = 0;
  Clear(X->minor, c, z);
  (X->dense ? SweepDenseCG : BlockGetKernels()->sweepcg)(X, c, D, s, alpha, beta, r, x, res, p, z, sums);
}

void BlockUpdateRowsCG(PetscInt rows, PetscInt c, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                       PetscReal beta, const PetscScalar g[], PetscScalar x[], PetscScalar res[],
                       PetscScalar p[], PetscReal sums[3])
{
  sums[0] = sums[1] = sums[2] = 0;
  BlockGetKernels()->updatecg(rows, c, D, s, alpha, beta, g, x, res, p, sums);
}
