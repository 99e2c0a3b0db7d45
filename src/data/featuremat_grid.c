/* The grid kernel: X in blocks on a grid of Pr x Pc ranks, samples by features. Rank i Pc + j has the block
   of grid row i's samples and grid column j's features; of w and z every rank owns its own piece.

     z = X w      gathers w within grid columns, multiplies the block, adds z up within grid rows
     g = X^T r    gathers r within grid rows, multiplies, adds g up within grid columns

   so that a rank moves about 2 c (p / Pc (1 - 1 / Pr) + n / Pr (1 - 1 / Pc)) numbers for both. On one grid
   row (Pr = 1, features distributed) w needs no communication and a step of a method goes through the
   features once: BlockSweep(). */
#include "block.h"
#include <twofold/impl/datasetimpl.h>
#include <twofold/impl/featurematimpl.h>

/* One side of the block: the pieces of the ranks that share it. */
typedef struct {
  MPI_Comm comm;
  PetscMPIInt size, rank;
  PetscMPIInt *count, *offset; /* of the pieces, in numbers: rows times c */
  PetscInt rows;               /* of the block's side */
  PetscScalar *in, *out[2];    /* whole sides, in and out; NULL where the only piece will do */
} Side;

/* A product of some Vec that is known: X w of this rank's samples. */
typedef struct {
  TwofoldSeen w; /* of id 0: none */
  PetscScalar *z;
  PetscInt64 used; /* when it was written */
} Known;

enum { REMEMBERED = 3 }; /* w, w_prev and one of the adjoint */

typedef struct {
  Side samples, features; /* shared within a grid row; within a grid column */
  Block block;
  Known known[REMEMBERED];
  PetscInt64 clock;
  PetscScalar *g; /* own piece of a gradient, where a sweep needs it whole */
} Grid;

/* ------------------------------------------------------------------ sides */

static PetscErrorCode SideDestroy(Side *side)
{
  PetscFunctionBegin;
  if (side->comm) PetscCallMPI(MPI_Comm_free(&side->comm));
  PetscCall(PetscFree2(side->count, side->offset));
  PetscCall(TwofoldFreePages(&side->in));
  for (int i = 0; i < 2; i++) PetscCall(TwofoldFreePages(&side->out[i]));
  *side = (Side){0};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The ranks of the same colour, in order; `rows` of each on this rank. */
static PetscErrorCode SideCreate(FeatureMat X, PetscMPIInt colour, PetscInt rows, Side *side)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)X);
  PetscMPIInt rank, own;
  PetscInt64 sum = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_split(comm, colour, rank, &side->comm));
  PetscCallMPI(MPI_Comm_size(side->comm, &side->size));
  PetscCallMPI(MPI_Comm_rank(side->comm, &side->rank));
  PetscCall(PetscMalloc2(side->size, &side->count, side->size, &side->offset));
  PetscCall(PetscMPIIntCast(rows * X->c, &own));
  PetscCallMPI(MPI_Allgather(&own, 1, MPI_INT, side->count, 1, MPI_INT, side->comm));
  for (PetscMPIInt r = 0; r < side->size; r++) {
    side->offset[r] = (PetscMPIInt)sum;
    sum += side->count[r];
  }
  PetscCheck(sum <= PETSC_MPI_INT_MAX, PETSC_COMM_SELF, PETSC_ERR_INT_OVERFLOW,
             "a block has %" PetscInt64_FMT
             " numbers on a side, more than an MPI count holds: use more ranks "
             "or another -data_grid",
             sum);
  side->rows = (PetscInt)(sum / X->c);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whole sides where there is more than one piece, and where the kernels look rows up at random: those are
   worth a copy into huge pages. */
static PetscErrorCode SideAllocate(FeatureMat X, PetscBool at_random, Side *side)
{
  PetscFunctionBegin;
  if (side->size == 1 && !at_random) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldMallocPages((PetscInt64)side->rows * X->c, &side->in));
  PetscCall(TwofoldMallocPages((PetscInt64)side->rows * X->c, &side->out[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The whole side of which `own` is this rank's piece. */
static PetscErrorCode SideGather(Side *side, const PetscScalar own[], const PetscScalar **full)
{
  PetscFunctionBegin;
  *full = side->in ? side->in : own;
  if (side->size > 1)
    PetscCallMPI(MPI_Allgatherv(own, side->count[side->rank], MPIU_SCALAR, side->in, side->count,
                                side->offset, MPIU_SCALAR, side->comm));
  else if (side->in)
    PetscCall(PetscArraycpy(side->in, own, side->count[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where a kernel is to put a whole side of which this rank is to get the piece `own`. */
static PetscScalar *SideTarget(const Side *side, PetscScalar own[])
{
  return side->out[0] ? side->out[0] : own;
}

/* Its sum over the ranks, a piece to each; of place `i` for such sides. */
static PetscErrorCode SideReduce(const Side *side, int i, PetscScalar own[])
{
  PetscFunctionBegin;
  if (side->size > 1)
    PetscCallMPI(MPI_Reduce_scatter(side->out[i], own, side->count, MPIU_SCALAR, MPIU_SUM, side->comm));
  else if (side->out[i])
    PetscCall(PetscArraycpy(own, side->out[i], side->count[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ products that are known */

/* The place of what is known of w, or -1. */
static int Find(const Grid *grid, PetscObjectId id)
{
  for (int i = 0; i < REMEMBERED; i++)
    if (grid->known[i].w.id == id) return i;
  return -1;
}

/* X w, if it was computed and w has not changed since, on any rank. */
static PetscErrorCode Recall(FeatureMat X, Vec w, const PetscScalar **z)
{
  const Grid *grid = (const Grid *)X->data;
  const TwofoldSeen none = {0};
  PetscObjectId id;
  PetscBool changed;

  PetscFunctionBegin;
  PetscCall(PetscObjectGetId((PetscObject)w, &id));
  const int at = Find(grid, id);
  PetscCall(TwofoldHasChanged(1, &w, at < 0 ? &none : &grid->known[at].w, &changed));
  *z = changed ? NULL : grid->known[at].z;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The place of what was written longest ago. */
static int Oldest(const Grid *grid)
{
  int oldest = 0;

  for (int i = 1; i < REMEMBERED; i++)
    if (grid->known[i].used < grid->known[oldest].used) oldest = i;
  return oldest;
}

/* Room for X w in place of what was known of w, or for longest; TwofoldSee() makes it valid. */
static PetscErrorCode Room(FeatureMat X, Vec w, Known **known)
{
  Grid *grid = (Grid *)X->data;
  PetscObjectId id;

  PetscFunctionBegin;
  PetscCall(PetscObjectGetId((PetscObject)w, &id));
  const int at = Find(grid, id);
  *known = &grid->known[at < 0 ? Oldest(grid) : at];
  (*known)->w = (TwofoldSeen){0};
  (*known)->used = ++grid->clock;
  if (!(*known)->z) PetscCall(PetscMalloc1(X->samples->n * X->c + 1, &(*known)->z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ set-up */

static PetscErrorCode Reset(Grid *grid)
{
  PetscFunctionBegin;
  PetscCall(SideDestroy(&grid->samples));
  PetscCall(SideDestroy(&grid->features));
  PetscCall(BlockDestroy(&grid->block));
  for (int i = 0; i < REMEMBERED; i++) {
    PetscCall(PetscFree(grid->known[i].z));
    grid->known[i] = (Known){0};
  }
  PetscCall(PetscFree(grid->g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Numbers a rank moves for X w and X^T r together, of one column. */
static PetscReal Volume(PetscInt n, PetscInt p, PetscInt Pr, PetscInt Pc)
{
  return 2 * ((PetscReal)p / (PetscReal)Pc * (1 - 1 / (PetscReal)Pr) +
              (PetscReal)n / (PetscReal)Pr * (1 - 1 / (PetscReal)Pc));
}

/* The grid asked for, or that of least volume: the one with fewer rows where two are alike. */
static PetscErrorCode ChooseGrid(FeatureMat X)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)X);
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  X->Pr = X->grid[0] ? X->grid[0] : 1;
  X->Pc = size / X->Pr;
  if (X->grid[0]) {
    PetscCheck(X->grid[0] * X->grid[1] == size, comm, PETSC_ERR_ARG_INCOMP,
               "-data_grid %" PetscInt_FMT ",%" PetscInt_FMT " has %" PetscInt_FMT
               " blocks, but there are %d ranks",
               X->grid[0], X->grid[1], X->grid[0] * X->grid[1], size);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  for (PetscInt Pr = 2; Pr <= size; Pr++) {
    if (size % Pr || Volume(X->n, X->p, Pr, size / Pr) >= Volume(X->n, X->p, X->Pr, X->Pc)) continue;
    X->Pr = Pr;
    X->Pc = size / Pr;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscMPIInt GridColumn(FeatureMat X, PetscInt feature)
{
  return FeatureMatOwner_Private(X, feature) % (PetscMPIInt)X->Pc;
}

/* From numbers of X to those of the block. */
static void Localise(FeatureMat X, PetscMPIInt first, PetscInt nentries, FeatureMatEntry entry[])
{
  const Grid *grid = (const Grid *)X->data;

  for (PetscInt e = 0; e < nentries; e++) {
    const PetscMPIInt owner = FeatureMatOwner_Private(X, entry[e].feature);
    entry[e].sample -= X->samples->range[first];
    entry[e].feature += grid->features.offset[owner / X->Pc] / X->c - X->features->range[owner];
  }
}

/* What the ranks' blocks are together. */
static PetscErrorCode Agree(FeatureMat X)
{
  const Block *const block = &((const Grid *)X->data)->block;
  PetscInt64 sums[3] = {0, 0, BlockIsOnePass(block, X->c) ? 0 : 1};

  PetscFunctionBegin;
  sums[block->dense ? 1 : 0] = block->nentries;
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, 3, MPIU_INT64, MPI_SUM, PetscObjectComm((PetscObject)X)));
  PetscCall(PetscArraycpy(X->stored, sums, 2));
  X->one_pass = (PetscBool)(X->Pc == 1 && sums[1] > 0 && sums[2] == 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatSetData_Grid(FeatureMat X, DataSet ds, PetscBool bias)
{
  Grid *grid = (Grid *)X->data;
  PetscMPIInt rank;
  PetscInt nentries;
  FeatureMatEntry *entry;

  PetscFunctionBegin;
  PetscCall(Reset(grid));
  PetscCall(ChooseGrid(X));
  PetscCallMPI(MPI_Comm_rank(PetscObjectComm((PetscObject)X), &rank));
  const PetscMPIInt i = rank / (PetscMPIInt)X->Pc, j = rank % (PetscMPIInt)X->Pc;
  PetscCall(SideCreate(X, i, X->samples->n, &grid->samples));
  PetscCall(SideCreate(X, j, X->features->n, &grid->features));
  PetscCall(FeatureMatDeal_Private(X, ds, bias, grid->samples.comm, GridColumn, &nentries, &entry));
  Localise(X, i * (PetscMPIInt)X->Pc, nentries, entry);
  PetscCall(
      BlockCreate(grid->features.rows, grid->samples.rows, X->c, X->storage, nentries, entry, &grid->block));
  const PetscBool sparse = (PetscBool)!grid->block.dense;
  PetscCall(SideAllocate(X, (PetscBool)(sparse && grid->block.by_features), &grid->samples));
  PetscCall(SideAllocate(X, (PetscBool)(sparse && !grid->block.by_features), &grid->features));
  PetscCall(PetscFree(entry));
  PetscCall(Agree(X));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Features so that ranks get the same number of entries, where a feature's row counts as one: it is read and
   written even without any. A bias is the last rank's. */
static PetscErrorCode FeatureMatLayout_Grid(FeatureMat X, DataSet ds, PetscBool bias, PetscInt *plocal)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)X);
  const PetscInt p = X->p - (bias ? 1 : 0);
  PetscMPIInt rank, size, n;
  PetscInt nlocal, *count;
  const PetscInt *rowptr, *col;
  PetscReal total = 0, sum = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(DataSetGetRows(ds, &nlocal, &rowptr, &col, NULL, NULL));
  PetscCall(PetscCalloc1(p + 1, &count));
  for (PetscInt k = 0; k < rowptr[nlocal]; k++) count[col[k]]++;
  PetscCall(PetscMPIIntCast(p, &n));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, count, n, MPIU_INT, MPI_SUM, comm));
  for (PetscInt f = 0; f < p; f++) total += (PetscReal)(count[f] + 1);
  if (bias) total += (PetscReal)X->n + 1;
  *plocal = bias && rank == size - 1 ? 1 : 0;
  for (PetscInt f = 0; f < p; f++) { /* a feature's owner is where its middle falls */
    const PetscReal middle = sum + (PetscReal)(count[f] + 1) / 2;
    if (PetscMin((PetscMPIInt)(middle / total * size), size - 1) == rank) (*plocal)++;
    sum += (PetscReal)(count[f] + 1);
  }
  PetscCall(PetscFree(count));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ products */

static PetscErrorCode Multiply(FeatureMat X, Vec W, PetscScalar own[])
{
  Grid *grid = (Grid *)X->data;
  const PetscScalar *w, *full;
  PetscScalar *const z = SideTarget(&grid->samples, own);

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(W, &w));
  PetscCall(SideGather(&grid->features, w, &full));
  BlockMult(&grid->block, X->c, full, z);
  PetscCall(VecRestoreArrayRead(W, &w));
  PetscCall(SideReduce(&grid->samples, 0, own));
  PetscCall(PetscLogFlops(2.0 * (double)grid->block.nentries * (double)X->c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatMult_Grid(FeatureMat X, Vec W, Vec Z)
{
  const PetscScalar *known = NULL;
  PetscScalar *z;

  PetscFunctionBegin;
  PetscCall(Recall(X, W, &known));
  PetscCall(VecGetArrayWrite(Z, &z));
  if (known)
    PetscCall(PetscArraycpy(z, known, X->samples->n * X->c));
  else
    PetscCall(Multiply(X, W, z));
  PetscCall(VecRestoreArrayWrite(Z, &z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* own = X^T r, or of the squares */
static PetscErrorCode MultiplyTranspose(FeatureMat X, PetscBool squared, const PetscScalar r[],
                                        PetscScalar own[])
{
  Grid *grid = (Grid *)X->data;
  const PetscScalar *full;

  PetscFunctionBegin;
  PetscCall(SideGather(&grid->samples, r, &full));
  BlockMultTranspose(&grid->block, X->c, squared, full, SideTarget(&grid->features, own));
  PetscCall(SideReduce(&grid->features, 0, own));
  PetscCall(PetscLogFlops(2.0 * (double)grid->block.nentries * (double)X->c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TransposeVecs(FeatureMat X, PetscBool squared, Vec R, Vec G)
{
  const PetscScalar *r;
  PetscScalar *g;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(R, &r));
  PetscCall(VecGetArrayWrite(G, &g));
  PetscCall(MultiplyTranspose(X, squared, r, g));
  PetscCall(VecRestoreArrayWrite(G, &g));
  PetscCall(VecRestoreArrayRead(R, &r));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatMultTranspose_Grid(FeatureMat X, Vec R, Vec G)
{
  PetscFunctionBegin;
  PetscCall(TransposeVecs(X, PETSC_FALSE, R, G));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatMultTransposeSquared_Grid(FeatureMat X, Vec R, Vec G)
{
  PetscFunctionBegin;
  PetscCall(TransposeVecs(X, PETSC_TRUE, R, G));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* With whole samples on this rank X w needs no reduction, and f can follow at once. */
static PetscErrorCode FeatureMatMultThrough_Grid(FeatureMat X, Vec W, FeatureMatRows f, void *ctx, Vec Z,
                                                 Vec G)
{
  Grid *grid = (Grid *)X->data;
  const PetscScalar *known, *w, *full;
  PetscScalar *z, *g;

  PetscFunctionBegin;
  PetscCall(Recall(X, W, &known));
  PetscCall(VecGetArrayRead(W, &w));
  PetscCall(VecGetArrayWrite(Z, &z));
  PetscCall(VecGetArrayWrite(G, &g));
  PetscScalar *const whole = SideTarget(&grid->features, g);
  if (known) {
    PetscCall(PetscArraycpy(z, known, X->samples->n * X->c));
    PetscCall((*f)(ctx, 0, X->samples->n, z));
    BlockMultTranspose(&grid->block, X->c, PETSC_FALSE, z, whole);
  } else {
    PetscCall(SideGather(&grid->features, w, &full));
    PetscCall(BlockMultThrough(&grid->block, X->c, f, ctx, full, z, whole));
  }
  PetscCall(SideReduce(&grid->features, 0, g));
  PetscCall(VecRestoreArrayWrite(G, &g));
  PetscCall(VecRestoreArrayWrite(Z, &z));
  PetscCall(VecRestoreArrayRead(W, &w));
  PetscCall(PetscLogFlops(4.0 * (double)grid->block.nentries * (double)X->c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ sweeps */

/* Whether one pass over the features does it all. */
static PetscBool IsFused(FeatureMat X)
{
  return (PetscBool)(X->Pr == 1 && ((const Grid *)X->data)->block.by_features);
}

/* X^T r of this rank's features, in grid->g. */
static PetscErrorCode WholeGradient(FeatureMat X, const PetscScalar r[])
{
  Grid *grid = (Grid *)X->data;

  PetscFunctionBegin;
  if (!grid->g) PetscCall(PetscMalloc1(X->features->n * X->c + 1, &grid->g));
  PetscCall(MultiplyTranspose(X, PETSC_FALSE, r, grid->g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y <- the update with X^T r. z, where not NULL, <- X y in pieces to be added up, if all is fused. */
static PetscErrorCode SweepArrays(FeatureMat X, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                                  const PetscScalar r[], const PetscScalar a[], const PetscScalar b[],
                                  PetscScalar y[], PetscScalar z[], PetscReal sums[2])
{
  Grid *grid = (Grid *)X->data;
  const PetscScalar *full;

  PetscFunctionBegin;
  if (IsFused(X)) {
    PetscCall(SideGather(&grid->samples, r, &full));
    BlockSweep(&grid->block, X->c, D, update, full, a, b, y, z, sums);
  } else {
    PetscCall(WholeGradient(X, r));
    BlockUpdateRows(X->features->n, X->c, D, update, grid->g, a, b, y, sums);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* X y from what the sweep has left of it in place `i` of the side. */
static PetscErrorCode Finish(FeatureMat X, Vec y, int i, Known *known)
{
  Grid *grid = (Grid *)X->data;

  PetscFunctionBegin;
  if (IsFused(X))
    PetscCall(SideReduce(&grid->samples, i, known->z));
  else
    PetscCall(Multiply(X, y, known->z));
  PetscCall(TwofoldSee(y, &known->w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A sweep that does what is asked for beside, too: in the one pass where there is one. */
static PetscErrorCode SweepBeside(FeatureMat X, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                                  const PetscScalar r[], const PetscScalar a[], const PetscScalar b[],
                                  PetscScalar y[], PetscScalar z[], const FeatureMatBeside *beside,
                                  PetscScalar zx[], PetscReal sums[2])
{
  Grid *grid = (Grid *)X->data;
  const PetscScalar *full, *x;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(beside->x, &x));
  if (IsFused(X)) {
    PetscCall(SideGather(&grid->samples, r, &full));
    BlockSweepBeside(&grid->block, X->c, D, update, full, a, b, y, z, x, beside->cross, zx, sums);
  } else {
    PetscCall(SweepArrays(X, D, update, r, a, b, y, z, sums));
    BlockCross(X->features->n, X->c, D.share, y, x, beside->cross);
  }
  PetscCall(VecRestoreArrayRead(beside->x, &x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Room for the product with what is beside, and where the kernels are to put it: a side's second place. */
static PetscErrorCode RoomBeside(FeatureMat X, const FeatureMatBeside *beside, Known **known, PetscScalar **z)
{
  Grid *grid = (Grid *)X->data;
  Side *side = &grid->samples;

  PetscFunctionBegin;
  PetscCall(Room(X, beside->x, known));
  *z = (*known)->z;
  if (!side->out[0]) PetscFunctionReturn(PETSC_SUCCESS);
  if (!side->out[1]) PetscCall(TwofoldMallocPages((PetscInt64)side->rows * X->c, &side->out[1]));
  *z = side->out[1];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatSweep_Grid(FeatureMat X, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                                           Vec R, Vec A, Vec B, Vec Y, PetscBool known,
                                           const FeatureMatBeside *beside, PetscReal sums[2])
{
  Grid *grid = (Grid *)X->data;
  const PetscScalar *r, *a, *b = NULL;
  PetscScalar *y, *z, *zx = NULL;
  Known *next = NULL, *next_x = NULL;

  PetscFunctionBegin;
  if (known) PetscCall(Room(X, Y, &next));
  if (beside) PetscCall(RoomBeside(X, beside, &next_x, &zx));
  PetscCall(VecGetArrayRead(R, &r));
  PetscCall(VecGetArrayRead(A, &a));
  if (B) PetscCall(VecGetArrayRead(B, &b));
  PetscCall(VecGetArray(Y, &y));
  z = next ? SideTarget(&grid->samples, next->z) : NULL;
  if (beside)
    PetscCall(SweepBeside(X, D, update, r, a, b, y, z, beside, zx, sums));
  else
    PetscCall(SweepArrays(X, D, update, r, a, b, y, z, sums));
  PetscCall(VecRestoreArray(Y, &y));
  if (B) PetscCall(VecRestoreArrayRead(B, &b));
  PetscCall(VecRestoreArrayRead(A, &a));
  PetscCall(VecRestoreArrayRead(R, &r));
  if (known) PetscCall(Finish(X, Y, 0, next));
  if (beside) PetscCall(Finish(X, beside->x, 1, next_x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatSweepCG_Grid(FeatureMat X, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                                             PetscReal beta, Vec R, Vec x, Vec res, Vec p, PetscReal sums[3])
{
  Grid *grid = (Grid *)X->data;
  const PetscScalar *r, *full;
  PetscScalar *xa, *ra, *pa;
  Known *known;

  PetscFunctionBegin;
  PetscCall(Room(X, res, &known));
  PetscCall(VecGetArrayRead(R, &r));
  PetscCall(VecGetArray(x, &xa));
  PetscCall(VecGetArray(res, &ra));
  PetscCall(VecGetArray(p, &pa));
  if (IsFused(X)) {
    PetscCall(SideGather(&grid->samples, r, &full));
    BlockSweepCG(&grid->block, X->c, D, s, alpha, beta, full, xa, ra, pa,
                 SideTarget(&grid->samples, known->z), sums);
  } else {
    PetscCall(WholeGradient(X, r));
    BlockUpdateRowsCG(X->features->n, X->c, D, s, alpha, beta, grid->g, xa, ra, pa, sums);
  }
  PetscCall(VecRestoreArray(p, &pa));
  PetscCall(VecRestoreArray(res, &ra));
  PetscCall(VecRestoreArray(x, &xa));
  PetscCall(VecRestoreArrayRead(R, &r));
  PetscCall(Finish(X, res, 0, known));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

static PetscErrorCode FeatureMatSetFromOptions_Grid(FeatureMat X, PetscOptionItems *PetscOptionsObject)
{
  char text[64] = "auto";
  PetscInt grid[2] = {0, 0};
  PetscBool set, automatic;

  PetscFunctionBegin;
  PetscCall(PetscOptionsEnum("-data_storage", "How blocks are stored", "FeatureMatSetStorage",
                             FeatureMatStorages, (PetscEnum)X->storage, (PetscEnum *)&X->storage, NULL));
  PetscCall(PetscOptionsString("-data_grid", "Blocks of samples, of features: Pr,Pc, or auto",
                               "FeatureMatSetGrid", text, text, sizeof(text), &set));
  if (!set) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscStrcmp(text, "auto", &automatic));
  if (!automatic) {
    char rest;
    long long Pr, Pc;
    const int n = sscanf(text, "%lld,%lld%c", &Pr, &Pc, &rest);
    PetscCheck(n == 2 && Pr > 0 && Pc > 0 && Pr <= PETSC_MPI_INT_MAX && Pc <= PETSC_MPI_INT_MAX,
               PetscObjectComm((PetscObject)X), PETSC_ERR_ARG_OUTOFRANGE,
               "-data_grid %s: neither auto nor two positive numbers such as 2,4", text);
    grid[0] = (PetscInt)Pr;
    grid[1] = (PetscInt)Pc;
  }
  PetscCall(FeatureMatSetGrid(X, grid[0], grid[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What is above the average in the fullest block, in per cent. */
static PetscErrorCode FeatureMatView_Grid(FeatureMat X, PetscViewer viewer)
{
  const Grid *grid = (const Grid *)X->data;
  const MPI_Comm comm = PetscObjectComm((PetscObject)X);
  PetscReal most, all;
  PetscMPIInt size;

  PetscFunctionBegin;
  if (!grid->block.value) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Comm_size(comm, &size));
  most = all = (PetscReal)grid->block.nentries;
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &most, 1, MPIU_REAL, MPIU_MAX, comm));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &all, 1, MPIU_REAL, MPIU_SUM, comm));
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "  blocks %" PetscInt_FMT " x %" PetscInt_FMT
                                   ", %.0f entries%s, the fullest block has %.1f %% more than the average\n",
                                   X->Pr, X->Pc, (double)all,
                                   X->stored[1] == 0   ? ""
                                   : X->stored[0] == 0 ? " (dense)"
                                                       : " (dense in part)",
                                   all > 0 ? 100 * (double)(most * size / all - 1) : 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatGetMemory_Grid(FeatureMat X, PetscLogDouble *bytes)
{
  const Grid *grid = (const Grid *)X->data;
  const Side *const side[] = {&grid->samples, &grid->features};

  PetscFunctionBegin;
  *bytes = BlockGetMemory(&grid->block);
  for (int i = 0; i < 2; i++) {
    const int arrays = (side[i]->in ? 1 : 0) + (side[i]->out[0] ? 1 : 0) + (side[i]->out[1] ? 1 : 0);
    *bytes +=
        (PetscLogDouble)arrays * (PetscLogDouble)side[i]->rows * (PetscLogDouble)X->c * sizeof(PetscScalar);
  }
  for (int i = 0; i < REMEMBERED; i++)
    if (grid->known[i].z)
      *bytes += (PetscLogDouble)X->samples->n * (PetscLogDouble)X->c * sizeof(PetscScalar);
  if (grid->g) *bytes += (PetscLogDouble)X->features->n * (PetscLogDouble)X->c * sizeof(PetscScalar);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatDestroy_Grid(FeatureMat X)
{
  PetscFunctionBegin;
  PetscCall(Reset((Grid *)X->data));
  PetscCall(PetscFree(X->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatCreate_Grid(FeatureMat X)
{
  Grid *grid;

  PetscFunctionBegin;
  PetscCall(PetscNew(&grid));
  X->data = grid;
  X->ops->setfromoptions = FeatureMatSetFromOptions_Grid;
  X->ops->layout = FeatureMatLayout_Grid;
  X->ops->setdata = FeatureMatSetData_Grid;
  X->ops->mult = FeatureMatMult_Grid;
  X->ops->multtranspose = FeatureMatMultTranspose_Grid;
  X->ops->multtransposesquared = FeatureMatMultTransposeSquared_Grid;
  X->ops->multthrough = FeatureMatMultThrough_Grid;
  X->ops->sweep = FeatureMatSweep_Grid;
  X->ops->sweepcg = FeatureMatSweepCG_Grid;
  X->ops->view = FeatureMatView_Grid;
  X->ops->memory = FeatureMatGetMemory_Grid;
  X->ops->destroy = FeatureMatDestroy_Grid;
  PetscFunctionReturn(PETSC_SUCCESS);
}
