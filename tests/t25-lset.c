/* Sets of the upper level, all registered types: projections against dense references (a full sort for the
   simplex, LAPACK for singular values, formulas in long double for the others), what makes a point a
   projection, bounds, membership, projected gradients, any number of ranks, and what is refused. */
#include "problem.h"
#include "spectral.h"
#include <twofold/impl/lsetimpl.h>
#include <float.h>
#include <string.h>

typedef struct {
  const char *type;
  int variant;
  PetscInt n;
} Case;

static const PetscReal radii[] = {1, 3.7, 1e-300, 1e300, 1};
enum {
  nradii = sizeof(radii) / sizeof(radii[0]),
  centered = nradii - 1 /* variant of l2ball with a center */
};

static const PetscReal spectral_radii[] = {1, 0.99, 1e300};

static PetscBool IsSpectral(const Case *c)
{
  return (PetscBool)(!strcmp(c->type, LSETSPECTRAL) || !strcmp(c->type, LSETCONVSPECTRAL));
}

static Shape GetShape(const Case *c)
{
  return !strcmp(c->type, LSETSPECTRAL) ? SpectralShape(c->variant, c->n) : ConvShape(c->variant, c->n);
}

/* Whether P(x) is the nearest point of the set: not for a kernel smaller than the grid. */
static PetscBool IsExact(const Case *c)
{
  const Shape s = GetShape(c);

  return (PetscBool)(strcmp(c->type, LSETCONVSPECTRAL) || s.width == 1 || s.width == s.grid);
}

static PetscReal Radius(const Case *c)
{
  if (!strcmp(c->type, LSETSPECTRAL)) return spectral_radii[c->variant];
  if (!strcmp(c->type, LSETCONVSPECTRAL)) return 0.99;
  const PetscBool has = (PetscBool)(!strcmp(c->type, LSETSIMPLEX) || !strcmp(c->type, LSETL2BALL));
  return has ? radii[c->variant] : 1;
}

static int Variants(const char type[])
{
  if (!strcmp(type, LSETSIMPLEX)) return nradii - 1;
  if (!strcmp(type, LSETL2BALL)) return nradii;
  if (!strcmp(type, LSETBOX)) return 3;
  if (!strcmp(type, LSETPRODUCT)) return 4;
  if (!strcmp(type, LSETSPECTRAL) || !strcmp(type, LSETCONVSPECTRAL)) return 3;
  return 1;
}

/* ------------------------------------------------------------------ a type that is registered later */

static PetscErrorCode ProjectMeanZero(LSET lset, Vec x)
{
  PetscScalar sum;
  PetscInt n;

  PetscFunctionBegin;
  (void)lset;
  PetscCall(VecGetSize(x, &n));
  PetscCall(VecSum(x, &sum));
  PetscCall(VecShift(x, -sum / (PetscReal)n));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateMeanZero(LSET lset)
{
  PetscFunctionBegin;
  lset->data = NULL;
  lset->uses_radius = PETSC_FALSE;
  lset->ops->project = ProjectMeanZero;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ dense references */

static PetscReal BoxLower(PetscInt i)
{
  return i % 4 == 1 ? -(PetscReal)INFINITY : -0.5 + 0.01 * (PetscReal)(i % 7);
}

static PetscReal BoxUpper(PetscInt i)
{
  if (i % 4 == 2) return (PetscReal)INFINITY;
  return i % 5 == 3 && i % 4 != 1 ? BoxLower(i)
                                  : 0.5 + 0.02 * (PetscReal)(i % 3); /* some entries are fixed */
}

static PetscReal BallCenter(PetscInt i)
{
  return 2 - 0.3 * (PetscReal)(i % 11);
}

static int Descending(const void *a, const void *b)
{
  const PetscReal x = *(const PetscReal *)a, y = *(const PetscReal *)b;
  return (x < y) - (x > y);
}

/* Held, Wolfe, Crowder: by a full sort. */
static void DenseSimplex(PetscInt n, PetscReal r, PetscReal x[])
{
  PetscReal *sorted = malloc((size_t)n * sizeof(PetscReal));
  long double sum = 0, theta = 0;

  memcpy(sorted, x, (size_t)n * sizeof(PetscReal));
  qsort(sorted, (size_t)n, sizeof(PetscReal), Descending);
  const long double top = sorted[0];
  for (PetscInt j = 0; j < n; j++) {
    sum += sorted[j] - top;
    const long double candidate = (sum - r) / (long double)(j + 1);
    if (sorted[j] - top > candidate) theta = candidate;
  }
  for (PetscInt i = 0; i < n; i++) {
    const long double p = (x[i] - top) - theta;
    x[i] = p > 0 ? (PetscReal)p : 0;
  }
  free(sorted);
}

static void DenseBall(PetscInt n, PetscReal r, PetscBool center, PetscReal x[])
{
  long double square = 0;

  for (PetscInt i = 0; i < n; i++) {
    const long double d = x[i] - (center ? (long double)BallCenter(i) : 0);
    square += d * d;
  }
  if (square <= (long double)r * r) return;
  for (PetscInt i = 0; i < n; i++) {
    const long double c = center ? BallCenter(i) : 0;
    x[i] = (PetscReal)(c + (x[i] - c) * (r / sqrtl(square)));
  }
}

static void DenseBox(PetscReal lower, PetscReal upper, PetscReal *x)
{
  *x = fmin(fmax(*x, lower), upper);
}

/* Which part of a product entry i is in; nparts[variant] is none. */
static int PartOf(int variant, PetscInt i)
{
  static const int table[][5] = {{0, 1, 2, 0, 1}, {0, 1, 0, 1, 2}, {1, 0, 0, 2, 1}, {0, 0, 2, 0, 1}};
  return table[variant][(i * i + i / 3) % 5];
}
enum { nparts = 2 };

/* The sets of the parts; NULL: that of the part before, the same object. */
static const char *const product_options[][nparts] = {
    {"-upper_lset_type box -upper_lset_lower -0.25 -upper_lset_upper 0.75",
     "-upper_lset_type simplex -upper_lset_radius 2"},
    {"-upper_lset_type simplex -upper_lset_radius 2", NULL},
    {"-upper_lset_type nonneg", "-upper_lset_type box -upper_lset_lower -0.25 -upper_lset_upper 0.75"},
    {"-upper_lset_type nonneg", NULL}};

static void DenseProduct(int variant, PetscInt n, PetscReal x[])
{
  PetscReal *part = malloc((size_t)n * sizeof(PetscReal));
  const char *options = NULL;

  for (int k = 0; k < nparts; k++) {
    PetscInt m = 0;
    if (product_options[variant][k]) options = product_options[variant][k];
    for (PetscInt i = 0; i < n; i++)
      if (PartOf(variant, i) == k) part[m++] = x[i];
    if (m && strstr(options, LSETSIMPLEX)) DenseSimplex(m, 2, part);
    for (PetscInt j = 0; j < m; j++) {
      if (strstr(options, LSETBOX)) DenseBox(-0.25, 0.75, &part[j]);
      if (strstr(options, LSETNONNEG)) DenseBox(0, (PetscReal)INFINITY, &part[j]);
    }
    m = 0;
    for (PetscInt i = 0; i < n; i++)
      if (PartOf(variant, i) == k) x[i] = part[m++];
  }
  free(part);
}

/* p <- P(x); false where there is no reference for the type. */
static PetscBool Reference(const Case *c, const PetscReal x[], PetscReal p[])
{
  const Shape shape = GetShape(c);

  memcpy(p, x, (size_t)c->n * sizeof(PetscReal));
  if (!strcmp(c->type, LSETFREE)) return PETSC_TRUE;
  if (!strcmp(c->type, LSETNONNEG)) {
    for (PetscInt i = 0; i < c->n; i++) DenseBox(0, (PetscReal)INFINITY, &p[i]);
  } else if (!strcmp(c->type, LSETBOX)) {
    for (PetscInt i = 0; i < c->n; i++)
      DenseBox(c->variant == 0 ? -0.5 : BoxLower(i), c->variant == 0 ? 0.25 : BoxUpper(i), &p[i]);
  } else if (!strcmp(c->type, LSETSIMPLEX)) {
    DenseSimplex(c->n, Radius(c), p);
  } else if (!strcmp(c->type, LSETL2BALL)) {
    DenseBall(c->n, Radius(c), (PetscBool)(c->variant == centered), p);
  } else if (!strcmp(c->type, LSETPRODUCT)) {
    DenseProduct(c->variant, c->n, p);
  } else if (!strcmp(c->type, LSETSPECTRAL)) {
    DenseSpectral(&shape, Radius(c), p);
  } else if (!strcmp(c->type, LSETCONVSPECTRAL)) {
    DenseConv(&shape, Radius(c), p);
  } else {
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

static long double Norm(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  long double square = 0;

  for (PetscInt i = 0; i < n; i++) {
    const long double d = (long double)x[i] - (y ? y[i] : 0);
    square += d * d;
  }
  return sqrtl(square);
}

/* ------------------------------------------------------------------ the sets */

static PetscErrorCode NewVec(MPI_Comm comm, PetscInt n, Vec *x)
{
  PetscFunctionBegin;
  PetscCall(VecCreate(comm, x));
  PetscCall(VecSetSizes(*x, PETSC_DECIDE, n));
  PetscCall(VecSetType(*x, VECSTANDARD));
  PetscFunctionReturn(0);
}

/* A set by these options, behind a prefix. */
static PetscErrorCode Make(MPI_Comm comm, const char text[], LSET *lset)
{
  PetscOptions options;

  PetscFunctionBegin;
  PetscCall(OptionsUse(text, &options));
  PetscCall(LSETCreate(comm, lset));
  PetscCall(LSETSetOptionsPrefix(*lset, "upper_"));
  PetscCall(LSETSetFromOptions(*lset));
  PetscCall(OptionsDrop(&options));
  PetscFunctionReturn(0);
}

/* The entries of a part, each on some rank, in an order that depends on the rank. */
static PetscErrorCode PartIS(MPI_Comm comm, int variant, int k, PetscInt n, IS *is, PetscInt *size)
{
  PetscInt *index, m = 0;
  PetscMPIInt nranks, rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &nranks));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscMalloc1(n, &index));
  *size = 0;
  for (PetscInt j = 0; j < n; j++) {
    const PetscInt i = rank % 2 ? j : n - 1 - j;
    if (PartOf(variant, i) != k) continue;
    ++*size;
    if ((TwofoldRandomBits(5, i) & 0xffff) % nranks == rank) index[m++] = i;
  }
  PetscCall(ISCreateGeneral(comm, m, index, PETSC_COPY_VALUES, is));
  PetscCall(PetscFree(index));
  PetscFunctionReturn(0);
}

/* Sets *empty where no index set has an entry. */
static PetscErrorCode MakeProduct(MPI_Comm comm, const Case *c, LSET *lset, PetscBool *empty)
{
  LSET part = NULL;
  PetscInt size = 0;
  IS is;

  PetscFunctionBegin;
  *empty = PETSC_TRUE;
  PetscCall(LSETCreate(comm, lset));
  PetscCall(LSETSetType(*lset, LSETPRODUCT));
  for (int k = 0; k < nparts; k++) {
    if (product_options[c->variant][k]) {
      PetscCall(LSETDestroy(&part));
      PetscCall(Make(comm, product_options[c->variant][k], &part));
    }
    PetscCall(PartIS(comm, c->variant, k, c->n, &is, &size));
    if (size) PetscCall(LSETProductAdd(*lset, is, part));
    if (size) *empty = PETSC_FALSE;
    PetscCall(ISDestroy(&is));
  }
  PetscCall(LSETDestroy(&part));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeBox(MPI_Comm comm, const Case *c, Vec layout, LSET *lset)
{
  const PetscBool finite = (PetscBool)(c->variant == 2); /* PETSc's infinities in place of IEEE's */
  PetscScalar *l, *u;
  PetscInt start, n;
  Vec lower, upper;

  PetscFunctionBegin;
  PetscCall(Make(comm, "-upper_lset_type box -upper_lset_lower -0.5 -upper_lset_upper 0.25", lset));
  if (c->variant == 0) PetscFunctionReturn(0);
  PetscCall(VecDuplicate(layout, &lower));
  PetscCall(VecDuplicate(layout, &upper));
  PetscCall(VecGetOwnershipRange(layout, &start, NULL));
  PetscCall(VecGetLocalSize(layout, &n));
  PetscCall(VecGetArrayWrite(lower, &l));
  PetscCall(VecGetArrayWrite(upper, &u));
  for (PetscInt i = 0; i < n; i++) {
    l[i] = BoxLower(start + i);
    u[i] = BoxUpper(start + i);
    if (finite && PetscIsInfReal(l[i])) l[i] = PETSC_NINFINITY;
    if (finite && PetscIsInfReal(u[i])) u[i] = PETSC_INFINITY;
  }
  PetscCall(VecRestoreArrayWrite(lower, &l));
  PetscCall(VecRestoreArrayWrite(upper, &u));
  PetscCall(LSETBoxSetBounds(*lset, lower, upper));
  PetscCall(VecSet(lower, 77)); /* a copy was taken */
  PetscCall(VecDestroy(&lower));
  PetscCall(VecDestroy(&upper));
  PetscFunctionReturn(0);
}

/* Numbers that the type takes where nothing is said are left out. */
static PetscErrorCode ShapeOptions(const Case *c, size_t length, char text[])
{
  const Shape s = GetShape(c);
  char part[64];

  PetscFunctionBegin;
  if (!strcmp(c->type, LSETSPECTRAL)) {
    PetscCall(PetscSNPrintf(text, length, " -upper_lset_rows %d", (int)s.out));
    PetscCall(PetscSNPrintf(part, sizeof(part), " -upper_lset_columns %d", (int)s.in));
  } else {
    PetscCall(PetscSNPrintf(text, length,
                            " -upper_lset_channels_out %d -upper_lset_kernel %d -upper_lset_grid %d "
                            "-upper_lset_sweeps %d",
                            (int)s.out, (int)s.width, (int)s.grid, (int)s.sweeps));
    PetscCall(PetscSNPrintf(part, sizeof(part), " -upper_lset_channels_in %d", (int)s.in));
  }
  if (s.in != s.out) PetscCall(PetscStrlcat(text, part, length));
  PetscCall(PetscSNPrintf(part, sizeof(part), " -upper_lset_offset %d", (int)s.offset));
  if (s.offset) PetscCall(PetscStrlcat(text, part, length));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeSet(MPI_Comm comm, const Case *c, Vec layout, LSET *lset, PetscBool *skip)
{
  char text[256], more[256] = "";
  Vec center;

  PetscFunctionBegin;
  *skip = PETSC_FALSE;
  if (!strcmp(c->type, LSETPRODUCT)) {
    PetscCall(MakeProduct(comm, c, lset, skip));
  } else if (!strcmp(c->type, LSETBOX)) {
    PetscCall(MakeBox(comm, c, layout, lset));
  } else {
    if (IsSpectral(c)) PetscCall(ShapeOptions(c, sizeof(more), more));
    PetscCall(PetscSNPrintf(text, sizeof(text), "-upper_lset_type %s -upper_lset_radius %.17g%s", c->type,
                            (double)Radius(c), more));
    PetscCall(Make(comm, text, lset));
    if (!strcmp(c->type, LSETL2BALL) && c->variant == centered) {
      PetscScalar *all;
      PetscCall(PetscMalloc1(c->n, &all));
      for (PetscInt i = 0; i < c->n; i++) all[i] = BallCenter(i);
      PetscCall(VecDuplicate(layout, &center));
      PetscCall(VecFill(center, all));
      PetscCall(LSETL2BallSetCenter(*lset, center));
      PetscCall(VecDestroy(&center));
      PetscCall(PetscFree(all));
    }
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the vectors */

typedef enum { RANDOM, LARGE, SMALL, SHIFTED, EQUAL, ZERO, TIES, GEOMETRIC, AHEAD, SCALED, NKINDS } Kind;

static void Fill(Kind kind, const Case *c, PetscInt64 seed, PetscReal x[])
{
  for (PetscInt i = 0; i < c->n; i++) {
    const PetscReal random = TwofoldRandomNormal(seed, i);
    switch (kind) {
    case LARGE:
      x[i] = 1e300 * random;
      break;
    case SMALL:
      x[i] = 1e-300 * random;
      break;
    case SHIFTED: /* cancels in sum x - r */
      x[i] = 1e9 + random;
      break;
    case EQUAL:
      x[i] = 0.7;
      break;
    case ZERO:
      x[i] = 0;
      break;
    case TIES:
      x[i] = 0.125 * (PetscReal)(TwofoldRandomBits(seed, i) & 3);
      break;
    case GEOMETRIC: /* thresholds that drop few entries at a time */
      x[i] = -pow(0.8, (double)(i % 60));
      break;
    case AHEAD: /* many small positive entries beside a threshold of the size of r */
      x[i] = Radius(c) * (i == 0 ? 0.9 : 1e-4 * random);
      break;
    case SCALED: /* of the set's own size */
      x[i] = Radius(c) * random;
      break;
    default:
      x[i] = random;
    }
  }
}

/* ------------------------------------------------------------------ what a projection is */

typedef struct {
  PetscReal *x, *p, *ref, *y, *q, *z; /* each of all entries */
} Arrays;

/* The first thing that was wrong with a case. Every rank has all of the vectors, so that each sees it. */
static char wrong[512];
#define EXPECT(ok, ...)                                                                                      \
  do {                                                                                                       \
    if (!(ok) && !wrong[0]) snprintf(wrong, sizeof(wrong), __VA_ARGS__);                                     \
  } while (0)

/* p <- P(x) by the library, on every rank. */
static PetscErrorCode Apply(LSET lset, Vec v, const PetscReal x[], PetscReal p[])
{
  PetscFunctionBegin;
  PetscCall(VecFill(v, x));
  PetscCall(LSETProject(lset, v));
  PetscCall(VecGather(v, p));
  PetscFunctionReturn(0);
}

/* Tolerances are in units of `size`: that of the set, of P(x) where the set is not bounded, and of x where
   nothing is known about the type or singular values are computed, which is then given some digits too. */
static PetscReal Size(const Case *c, const Arrays *a)
{
  const PetscBool bounded = (PetscBool)(!strcmp(c->type, LSETSIMPLEX) || !strcmp(c->type, LSETL2BALL));
  const PetscBool known = (PetscBool)(!IsSpectral(c) && Reference(c, a->x, a->z));
  PetscReal size = bounded ? Radius(c) : 0;

  if (bounded && c->variant == centered) size = 4;
  for (PetscInt i = 0; i < c->n; i++) {
    size = PetscMax(size, PetscAbsReal(a->p[i]));
    if (!known) size = PetscMax(size, PetscAbsReal(a->x[i]));
  }
  return known ? size : 100 * size;
}

static PetscErrorCode CheckPoint(LSET lset, Vec v, const Case *c, Kind kind, const Arrays *a, PetscBool known)
{
  const PetscReal size = Size(c, a), *target = known ? a->ref : a->p;
  const long double way = Norm(c->n, a->x, target);
  PetscReal distance;
  PetscBool in;

  PetscFunctionBegin;
  if (known) {
    const double error = (double)Norm(c->n, a->p, a->ref);
    EXPECT(error <= 1e-14 * size, "%s/%d, n %d, vector %d: %g from the reference, size %g", c->type,
           c->variant, (int)c->n, kind, error, (double)size);
  }
  if (!strcmp(c->type, LSETSIMPLEX)) {
    const PetscReal r = Radius(c);
    long double sum = 0;
    PetscReal least = r;
    for (PetscInt i = 0; i < c->n; i++) {
      sum += a->p[i];
      least = PetscMin(least, a->p[i]);
    }
    EXPECT(least >= 0 && fabsl(sum - r) <= 2e-15 * r, "simplex/%d, n %d, vector %d: least %g, sum off by %Lg",
           c->variant, (int)c->n, kind, (double)least, sum - r);
  }
  PetscCall(VecFill(v, a->x));
  PetscCall(LSETDistance(lset, v, &distance));
  EXPECT(fabsl(distance - way) <= 1e-14 * (size + way), "%s/%d, n %d, vector %d: distance %.17g, not %.17g",
         c->type, c->variant, (int)c->n, kind, (double)distance, (double)way);
  if (way > 1e-10 * size) {
    PetscCall(LSETContains(lset, v, 0.999 * distance, &in));
    EXPECT(!in, "%s/%d, n %d, vector %d is in the set", c->type, c->variant, (int)c->n, kind);
    PetscCall(LSETContains(lset, v, 1.001 * distance, &in));
    EXPECT(in, "%s/%d, n %d, vector %d is not near the set", c->type, c->variant, (int)c->n, kind);
  }
  if (!IsExact(c)) PetscFunctionReturn(0);
  PetscCall(VecFill(v, a->p));
  PetscCall(LSETContains(lset, v, 4e-15 * size, &in));
  EXPECT(in, "%s/%d, n %d, vector %d: the projection is not in the set", c->type, c->variant, (int)c->n,
         kind);
  PetscCall(Apply(lset, v, a->p, a->q));
  const double moved = (double)Norm(c->n, a->p, a->q);
  EXPECT(moved <= 4e-15 * size, "%s/%d, n %d, vector %d: projected again it moves by %g", c->type, c->variant,
         (int)c->n, kind, moved);
  PetscFunctionReturn(0);
}

/* <x - P(x), z - P(x)> <= 0 for z in the set, and ||P(x) - P(y)|| <= ||x - y||. The latter holds for one
   sweep of convspectral, too; of several nothing is known. */
static PetscErrorCode CheckInequalities(LSET lset, Vec v, const Case *c, Kind kind, const Arrays *a)
{
  const PetscReal size = Size(c, a);

  PetscFunctionBegin;
  for (int trial = 0; trial < 2; trial++) {
    long double inner = 0;
    Fill(SCALED, c, 100, a->y);
    if (trial == 1) /* near x */
      for (PetscInt i = 0; i < c->n; i++) a->y[i] = a->x[i] + 1e-3 * size * TwofoldRandomNormal(7, i);
    if (!Reference(c, a->y, a->z)) PetscCall(Apply(lset, v, a->y, a->z));
    PetscCall(Apply(lset, v, a->y, a->q));
    for (PetscInt i = 0; i < c->n; i++)
      inner += ((long double)a->x[i] - a->p[i]) * ((long double)a->z[i] - a->p[i]);
    const long double bound = Norm(c->n, a->x, a->p) * (size + Norm(c->n, a->z, a->p));
    EXPECT(!IsExact(c) || inner <= 1e-14 * bound,
           "%s/%d, n %d, vector %d: <x - P(x), z - P(x)> is %Lg of %Lg", c->type, c->variant, (int)c->n, kind,
           inner, bound);
    if (!IsExact(c) && GetShape(c).sweeps > 1) continue;
    const long double before = Norm(c->n, a->x, a->y), after = Norm(c->n, a->p, a->q);
    EXPECT(after <= before + 1e-14 * (size + before), "%s/%d, n %d, vector %d: %Lg grew to %Lg", c->type,
           c->variant, (int)c->n, kind, before, after);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckProjectedGradient(LSET lset, Vec v, const Case *c, Kind kind, const Arrays *a)
{
  PetscReal norm, xsize = 0, gsize = 0;
  Vec g;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(v, &g));
  Fill(kind == LARGE ? LARGE : SCALED, c, 55, a->y);
  for (PetscInt i = 0; i < c->n; i++) a->z[i] = a->p[i] - a->y[i];
  if (!Reference(c, a->z, a->q)) PetscCall(Apply(lset, v, a->z, a->q));
  PetscCall(VecFill(v, a->p));
  PetscCall(VecFill(g, a->y));
  PetscCall(LSETProjectedGradientNorm(lset, v, g, &norm));
  const double expected = (double)Norm(c->n, a->p, a->q);
  for (PetscInt i = 0; i < c->n; i++) {
    xsize = PetscMax(xsize, PetscAbsReal(a->p[i]));
    gsize = PetscMax(gsize, PetscAbsReal(a->y[i]));
  }
  const double tol = 1e-14 * (Size(c, a) + sqrt((double)c->n) * (xsize + gsize));
  EXPECT(fabs(norm - expected) <= tol, "%s/%d, n %d, vector %d: projected gradient %.17g, not %.17g", c->type,
         c->variant, (int)c->n, kind, (double)norm, expected);
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckBounds(LSET lset, Vec v, const Case *c, const Arrays *a)
{
  const PetscBool box =
      (PetscBool)(!strcmp(c->type, LSETFREE) || !strcmp(c->type, LSETNONNEG) || !strcmp(c->type, LSETBOX) ||
                  (!strcmp(c->type, LSETPRODUCT) && (c->variant >= 2 || (c->variant == 0 && c->n == 1))));
  Vec upper;
  PetscBool has;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(v, &upper));
  PetscCall(VecSet(v, 3));
  PetscCall(VecSet(upper, 4));
  PetscCall(LSETGetBounds(lset, NULL, NULL, &has));
  if (Reference(c, a->x, a->z)) EXPECT(has == box, "%s/%d: bounds %d", c->type, c->variant, has);
  PetscCall(LSETGetBounds(lset, v, upper, &has));
  PetscCall(VecGather(v, a->y));
  PetscCall(VecGather(upper, a->z));
  PetscCall(VecDestroy(&upper));
  for (PetscInt i = 0; i < c->n && !has; i++)
    EXPECT(a->y[i] == 3 && a->z[i] == 4, "%s/%d: no bounds, and entry %d was written", c->type, c->variant,
           (int)i);
  if (!has) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < c->n; i++) a->q[i] = -DBL_MAX; /* which a set takes to its lower bound */
  EXPECT(Reference(c, a->q, a->p), "no reference");
  for (PetscInt i = 0; i < c->n; i++) a->q[i] = DBL_MAX;
  EXPECT(Reference(c, a->q, a->ref), "no reference");
  for (PetscInt i = 0; i < c->n; i++) {
    const PetscReal lower = PetscMax(a->p[i], PETSC_NINFINITY), top = PetscMin(a->ref[i], PETSC_INFINITY);
    EXPECT(a->y[i] == lower && a->z[i] == top, "%s/%d, entry %d: bounds %g %g, not %g %g", c->type,
           c->variant, (int)i, (double)a->y[i], (double)a->z[i], (double)lower, (double)top);
  }
  PetscFunctionReturn(0);
}

/* All of it for one set, and the same projections on one rank. */
static PetscErrorCode CheckCase(MPI_Comm comm, const Case *c)
{
  const PetscInt n = c->n;
  PetscBool skip, known;
  LSET lset, alone;
  Vec v, v_alone;
  Arrays a;

  PetscFunctionBegin;
  PetscCall(NewVec(comm, n, &v));
  PetscCall(NewVec(PETSC_COMM_SELF, n, &v_alone));
  PetscCall(MakeSet(comm, c, v, &lset, &skip));
  PetscCall(MakeSet(PETSC_COMM_SELF, c, v_alone, &alone, &skip));
  PetscCall(PetscMalloc6(n, &a.x, n, &a.p, n, &a.ref, n, &a.y, n, &a.q, n, &a.z));
  for (Kind kind = 0; kind < NKINDS && !skip; kind++) {
    /* which are for sums of entries */
    if (IsSpectral(c) && (kind == SHIFTED || kind == GEOMETRIC || kind == AHEAD)) continue;
    Fill(kind, c, 1, a.x);
    known = Reference(c, a.x, a.ref);
    PetscCall(Apply(lset, v, a.x, a.p));
    PetscCall(CheckPoint(lset, v, c, kind, &a, known));
    PetscCall(CheckInequalities(lset, v, c, kind, &a));
    PetscCall(CheckProjectedGradient(lset, v, c, kind, &a));
    PetscCall(Apply(alone, v_alone, a.x, a.q));
    const double difference = (double)Norm(n, a.p, a.q);
    EXPECT(difference <= 1e-14 * (double)(known && !IsSpectral(c) ? Norm(n, a.q, NULL) : Size(c, &a)),
           "%s/%d, n %d, vector %d: %g from one rank's", c->type, c->variant, (int)n, kind, difference);
  }
  if (!skip) PetscCall(CheckBounds(lset, v, c, &a));
  CHECK(!wrong[0], "%s", wrong);
  PetscCall(PetscFree6(a.x, a.p, a.ref, a.y, a.q, a.z));
  PetscCall(LSETDestroy(&lset));
  PetscCall(LSETDestroy(&alone));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&v_alone));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckAll(MPI_Comm comm, int nsizes, const PetscInt sizes[])
{
  const char **types;
  PetscInt ntypes;

  PetscFunctionBegin;
  PetscCall(LSETGetRegistered(&ntypes, &types));
  CHECK(ntypes >= 9, "%d types", (int)ntypes);
  for (PetscInt t = 0; t < ntypes; t++)
    for (int variant = 0; variant < Variants(types[t]); variant++)
      for (int k = 0; k < nsizes; k++) {
        const Case c = {.type = types[t], .variant = variant, .n = sizes[k]};
        PetscCall(CheckCase(comm, &c));
      }
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ single facts */

/* The first message of an error, which PetscError() hands to the handler. */
static char said[1024];

static PetscErrorCode Listen(MPI_Comm comm, int line, const char *function, const char *file,
                             PetscErrorCode n, PetscErrorType type, const char *message, void *ctx)
{
  (void)comm;
  (void)line;
  (void)function;
  (void)file;
  (void)ctx;
  if (type == PETSC_ERROR_INITIAL) snprintf(said, sizeof(said), "%s", message ? message : "");
  return n;
}

/* The call raises this code on every rank, with these words in the message. */
#define REFUSED(code, words, ...)                                                                            \
  do {                                                                                                       \
    said[0] = 0;                                                                                             \
    PetscCall(PetscPushErrorHandler(Listen, NULL));                                                          \
    const int raised_ = (int)(__VA_ARGS__);                                                                  \
    PetscCall(PetscPopErrorHandler());                                                                       \
    CHECK(raised_ == (int)(code) && strstr(said, words), "%s raised %d: %s", #__VA_ARGS__, raised_, said);   \
  } while (0)

/* P(x) of a vector of 3 by a set made from options. */
static PetscErrorCode Project3(MPI_Comm comm, const char text[], PetscReal x0, PetscReal x1, PetscReal x2,
                               PetscReal p[3])
{
  const PetscReal x[3] = {x0, x1, x2};
  LSET lset;
  Vec v;

  PetscFunctionBegin;
  PetscCall(NewVec(comm, 3, &v));
  PetscCall(Make(comm, text, &lset));
  PetscCall(Apply(lset, v, x, p));
  PetscCall(LSETDestroy(&lset));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(0);
}

/* Entries that are not finite never raise or hang. */
static PetscErrorCode CheckNotFinite(MPI_Comm comm)
{
  const PetscReal inf = (PetscReal)INFINITY, nan = (PetscReal)NAN;
  const char *const box = "-upper_lset_type box -upper_lset_lower -1 -upper_lset_upper 1",
                    *const half = "-upper_lset_type box -upper_lset_lower -inf -upper_lset_upper 1",
                    *const simplex = "-upper_lset_type simplex", *const ball = "-upper_lset_type l2ball";
  PetscReal p[3];

  PetscFunctionBegin;
  PetscCall(Project3(comm, box, nan, -inf, inf, p));
  CHECK(PetscIsNanReal(p[0]) && p[1] == -1 && p[2] == 1, "box: %g %g %g", p[0], p[1], p[2]);
  PetscCall(Project3(comm, half, nan, -inf, inf, p));
  CHECK(PetscIsNanReal(p[0]) && p[1] == -inf && p[2] == 1, "half-space: %g %g %g", p[0], p[1], p[2]);
  PetscCall(Project3(comm, "-upper_lset_type nonneg", nan, -inf, inf, p));
  CHECK(PetscIsNanReal(p[0]) && p[1] == 0 && p[2] == inf, "nonneg: %g %g %g", p[0], p[1], p[2]);
  PetscCall(Project3(comm, simplex, -inf, 0.5, 0.5, p));
  CHECK(p[0] == 0 && p[1] == 0.5 && p[2] == 0.5, "simplex: %g %g %g", p[0], p[1], p[2]);
  const PetscReal ill[][3] = {{1, nan, 0}, {1, inf, 0}, {nan, inf, 0}, {nan, nan, nan}, {0, -inf, nan}};
  for (size_t k = 0; k < sizeof(ill) / sizeof(ill[0]); k++) {
    PetscCall(Project3(comm, simplex, ill[k][0], ill[k][1], ill[k][2], p));
    for (int i = 0; i < 3; i++) CHECK(PetscIsNanReal(p[i]), "simplex, vector %d: %g", (int)k, p[i]);
    PetscCall(Project3(comm, ball, ill[k][0], ill[k][1], ill[k][2], p));
    for (int i = 0; i < 3; i++) CHECK(PetscIsNanReal(p[i]), "ball, vector %d: %g", (int)k, p[i]);
  }
  PetscCall(Project3(comm, simplex, -inf, -inf, -inf, p));
  for (int i = 0; i < 3; i++) CHECK(PetscIsNanReal(p[i]), "simplex of -inf: %g", p[i]);
  PetscFunctionReturn(0);
}

/* Membership and norms of vectors that are not finite, or whose squares are not. */
static PetscErrorCode CheckNorms(MPI_Comm comm)
{
  const PetscReal inf = (PetscReal)INFINITY;
  PetscReal distance, norm;
  PetscBool in;
  LSET lset;
  Vec v, g;

  PetscFunctionBegin;
  PetscCall(NewVec(comm, 4, &v));
  PetscCall(NewVec(comm, 4, &g));
  PetscCall(Make(comm, "-upper_lset_type nonneg", &lset));
  PetscCall(VecFill(v, (PetscReal[4]){-3e300, -4e300, 5, inf}));
  PetscCall(LSETDistance(lset, v, &distance));
  CHECK_CLOSE(distance, 5e300, 1e-15, "distance of large entries, and an infinite one in the set");
  PetscCall(VecFill(v, (PetscReal[4]){-3e-300, -4e-300, 5, 0}));
  PetscCall(LSETDistance(lset, v, &distance));
  CHECK_CLOSE(distance, 5e-300, 1e-15, "distance of small entries");
  PetscCall(LSETContains(lset, v, 0, &in));
  CHECK(!in, "tolerance 0");
  PetscCall(VecFill(v, (PetscReal[4]){1, (PetscReal)NAN, 5, 0}));
  PetscCall(LSETContains(lset, v, inf, &in));
  PetscCall(LSETDistance(lset, v, &distance));
  CHECK(!in && PetscIsNanReal(distance), "NaN: in %d, distance %g", in, (double)distance);
  /* x - (x - g) would be 0 or wrong in the third digit */
  PetscCall(VecFill(v, (PetscReal[4]){1e8, 1e8, 0, 0}));
  PetscCall(VecFill(g, (PetscReal[4]){3e-12, -4e-12, 7, 1e-300}));
  PetscCall(LSETProjectedGradientNorm(lset, v, g, &norm));
  CHECK_CLOSE(norm, 5e-12, 1e-15, "projected gradient of small entries");
  PetscCall(VecFill(v, (PetscReal[4]){0, 0, 3, 0}));
  PetscCall(VecFill(g, (PetscReal[4]){1, 2, 0, 1e300}));
  PetscCall(LSETProjectedGradientNorm(lset, v, g, &norm));
  CHECK(norm == 0, "stationary: %g", (double)norm);
  PetscCall(VecFill(g, (PetscReal[4]){1, 2, (PetscReal)NAN, 0}));
  PetscCall(LSETProjectedGradientNorm(lset, v, g, &norm));
  CHECK(PetscIsNanReal(norm), "NaN in g: %g", (double)norm);
  PetscCall(LSETDestroy(&lset));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

/* Numbers at the end of the range. */
static PetscErrorCode CheckExtremes(MPI_Comm comm)
{
  const PetscReal far = 1.5e308;
  PetscReal p[3];
  LSET lset;
  Vec v;

  PetscFunctionBegin;
  PetscCall(
      Project3(comm, "-upper_lset_type box -upper_lset_lower 0 -upper_lset_upper inf", far, -far, 0, p));
  CHECK(p[0] == far && p[1] == 0 && p[2] == 0, "inf clips: %g %g %g", p[0], p[1], p[2]);
  PetscCall(
      Project3(comm, "-upper_lset_type box -upper_lset_lower -1e308 -upper_lset_upper 0", far, -far, 0, p));
  CHECK(p[0] == 0 && p[1] == -far && p[2] == 0, "a bound beyond PETSC_NINFINITY clips: %g %g %g", p[0], p[1],
        p[2]);
  PetscCall(
      Project3(comm, "-upper_lset_type box -upper_lset_lower 0 -upper_lset_upper 1e308", far, -far, 0, p));
  CHECK(p[0] == far && p[1] == 0 && p[2] == 0, "a bound beyond PETSC_INFINITY clips: %g %g %g", p[0], p[1],
        p[2]);
  PetscCall(Project3(comm, "-upper_lset_type simplex -upper_lset_radius 1e308", far, far, -far, p));
  CHECK(p[0] == 5e307 && p[1] == 5e307 && p[2] == 0, "simplex: %g %g %g", p[0], p[1], p[2]);
  PetscCall(Project3(comm, "-upper_lset_type simplex -upper_lset_radius 1e-300", far, far, -far, p));
  CHECK(p[0] == 5e-301 && p[1] == 5e-301 && p[2] == 0, "simplex: %g %g %g", p[0], p[1], p[2]);
  PetscCall(Project3(comm, "-upper_lset_type l2ball -upper_lset_radius 5e-300", 6e307, -8e307, 0, p));
  CHECK(PetscAbsReal(p[0] - 3e-300) < 1e-314 && PetscAbsReal(p[1] + 4e-300) < 1e-314 && p[2] == 0,
        "ball: %g %g %g", p[0], p[1], p[2]);
  PetscCall(Make(comm, "-upper_lset_type l2ball -upper_lset_radius 1e308", &lset));
  PetscCall(NewVec(comm, 3, &v)); /* the difference to the center overflows */
  PetscCall(VecSet(v, 0));
  PetscCall(VecFill(v, (PetscReal[3]){-far, 0, 0}));
  PetscCall(LSETL2BallSetCenter(lset, v));
  PetscCall(Apply(lset, v, (PetscReal[3]){far, 0, 0}, p));
  CHECK(PetscAbsReal(p[0] + 5e307) <= 1e293 && p[1] == 0 && p[2] == 0, "ball about -1.5e308: %g %g %g", p[0],
        p[1], p[2]);
  PetscCall(LSETDestroy(&lset));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(0);
}

/* The settings: defaults, the same set again, another layout, another type, views, products in products. */
static PetscErrorCode CheckSettings(MPI_Comm comm)
{
  LSETType type;
  PetscReal radius, p[6];
  PetscViewer viewer;
  PetscBool same, has;
  PetscMPIInt rank;
  LSET lset, inner, outer;
  Vec v, w;
  IS is;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIOpen(comm, "/dev/null", &viewer));
  PetscCall(NewVec(comm, 6, &v));
  PetscCall(NewVec(comm, 3, &w));
  PetscCall(Make(comm, "", &lset));
  PetscCall(LSETGetType(lset, &type));
  PetscCall(PetscStrcmp(type, LSETFREE, &same));
  CHECK(same, "default type %s", type);
  PetscCall(LSETSetType(lset, LSETBOX));
  PetscCall(LSETBoxSetConstants(lset, 0, 1));
  PetscCall(LSETSetUp(lset, v));
  PetscCall(LSETView(lset, viewer));
  PetscCall(VecSet(v, 0.25));
  PetscCall(LSETBoxSetBounds(lset, NULL, v)); /* the lower one stays */
  PetscCall(Apply(lset, v, (PetscReal[6]){-1, 1, 0.125, 0, 3, 0.5}, p));
  CHECK(p[0] == 0 && p[1] == 0.25 && p[2] == 0.125 && p[5] == 0.25, "one bound: %g %g %g %g", p[0], p[1],
        p[2], p[5]);
  PetscCall(LSETView(lset, viewer));
  PetscCall(LSETSetType(lset, LSETL2BALL));
  PetscCall(LSETSetRadius(lset, 5));
  PetscCall(LSETSetUp(lset, v));
  PetscCall(LSETSetRadius(lset, 10)); /* a change after set-up counts */
  PetscCall(LSETGetRadius(lset, &radius));
  PetscCall(Apply(lset, v, (PetscReal[6]){30, 40, 0, 0, 0, 0}, p));
  CHECK(radius == 10 && p[0] == 6 && p[1] == 8, "radius %g: %g %g", radius, p[0], p[1]);
  PetscCall(LSETSetUp(lset, w)); /* another layout */
  PetscCall(Apply(lset, w, (PetscReal[3]){0, 30, 40}, p));
  CHECK(p[1] == 6 && p[2] == 8, "another layout: %g %g", p[1], p[2]);
  PetscCall(LSETView(lset, viewer));
  /* entries 1, 2, 3 of 6 in a product whose entries 0 and 2 are in nonneg */
  PetscCall(LSETCreate(comm, &inner));
  PetscCall(LSETSetType(inner, LSETPRODUCT));
  PetscCall(LSETCreate(comm, &outer));
  PetscCall(LSETSetType(outer, LSETPRODUCT));
  PetscCall(LSETSetType(lset, LSETNONNEG));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ISCreateStride(comm, rank == 0 ? 2 : 0, 0, 2, &is));
  PetscCall(LSETProductAdd(inner, is, lset));
  PetscCall(ISDestroy(&is));
  PetscCall(ISCreateStride(comm, rank == 0 ? 3 : 0, 1, 1, &is));
  PetscCall(LSETProductAdd(outer, is, inner));
  PetscCall(Apply(outer, v, (PetscReal[6]){-1, -1, -1, -1, -1, -1}, p));
  CHECK(p[0] == -1 && p[1] == 0 && p[2] == -1 && p[3] == 0 && p[4] == -1 && p[5] == -1,
        "nested: %g %g %g %g %g %g", p[0], p[1], p[2], p[3], p[4], p[5]);
  PetscCall(LSETGetBounds(outer, NULL, NULL, &has));
  CHECK(has, "nested boxes have no bounds");
  PetscCall(LSETView(outer, viewer));
  REFUSED(PETSC_ERR_ARG_WRONG, "part of itself", LSETProductAdd(inner, is, outer));
  REFUSED(PETSC_ERR_ARG_WRONG, "part of itself", LSETProductAdd(outer, is, outer));
  PetscCall(ISDestroy(&is));
  PetscCall(LSETDestroy(&lset));
  PetscCall(LSETDestroy(&inner));
  PetscCall(LSETDestroy(&outer));
  PetscCall(LSETDestroy(&outer)); /* NULL */
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&w));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ singular values */

/* Many sweeps end in the nearest point: it is in the set, and farther from x are the point that one sweep
   after another without memory ends in, and points of the set on the way to x. One sweep does not. */
static PetscErrorCode CheckSweeps(MPI_Comm comm)
{
  enum { n = 40 };
  const Shape s = ConvShape(0, n);
  PetscReal x[n], p[n], once[n], z[n];
  LSET lset;
  Vec v;

  PetscFunctionBegin;
  PetscCall(NewVec(comm, n, &v));
  PetscCall(LSETCreate(comm, &lset));
  PetscCall(LSETSetType(lset, LSETCONVSPECTRAL));
  PetscCall(LSETConvSpectralSetKernel(lset, s.offset, s.out, s.in, s.width, s.grid));
  for (PetscInt i = 0; i < n; i++) z[i] = x[i] = TwofoldRandomNormal(3, i);
  PetscCall(Apply(lset, v, x, once));
  CHECK(DenseConvNorm(&s, once) > 1.01, "cropping does not matter: %g", (double)DenseConvNorm(&s, once));
  PetscCall(LSETConvSpectralSetSweeps(lset, 128));
  PetscCall(Apply(lset, v, x, p));
  const PetscReal nearest = (PetscReal)Norm(n, x, p);
  CHECK(PetscAbsReal(DenseConvNorm(&s, p) - 1) < 1e-3, "norm %.12g", (double)DenseConvNorm(&s, p));
  CHECK(nearest > Norm(n, x, once), "nearer than the nearest point");
  for (int sweep = 0; sweep < 128; sweep++) DenseConv(&s, 1, z);
  CHECK(Norm(n, x, z) > nearest + 1e-2, "no nearer than without memory: %g, %g", (double)nearest,
        (double)Norm(n, x, z));
  for (PetscReal way = 0.5; way > 1e-2; way /= 2) {
    for (PetscInt i = 0; i < n; i++) z[i] = p[i] + way * (x[i] - p[i]);
    const PetscReal norm = DenseConvNorm(&s, z);
    for (PetscInt i = s.offset; i < n; i++) z[i] /= norm;
    CHECK(Norm(n, x, z) > nearest - 1e-3, "%g of the way is nearer: %g, %g", (double)way,
          (double)Norm(n, x, z), (double)nearest);
  }
  PetscCall(LSETDestroy(&lset));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(0);
}

/* Entries that are not finite, points of the set, a change of layout and of the radius. */
static PetscErrorCode CheckSpectral(MPI_Comm comm)
{
  const char *const one_row = "-upper_lset_type spectral -upper_lset_offset 1 -upper_lset_rows 1 "
                              "-upper_lset_columns 2",
                    *const one_pixel = "-upper_lset_type convspectral -upper_lset_offset 1 "
                                       "-upper_lset_channels_out 1 -upper_lset_channels_in 2 "
                                       "-upper_lset_kernel 1 -upper_lset_grid 2";
  const char *const sets[] = {one_row, one_pixel};
  const PetscReal inf = (PetscReal)INFINITY, nan = (PetscReal)NAN, in[3] = {7, 0.6, -0.7};
  PetscReal p[4];
  LSET lset;
  Vec v, w;

  PetscFunctionBegin;
  for (int k = 0; k < 2; k++) {
    PetscCall(Project3(comm, sets[k], 7, 30, -40, p));
    CHECK(p[0] == 7 && PetscAbsReal(p[1] - 0.6) < 1e-15 && PetscAbsReal(p[2] + 0.8) < 1e-15,
          "set %d: %.17g %.17g %.17g", k, p[0], p[1], p[2]);
    PetscCall(Project3(comm, sets[k], in[0], in[1], in[2], p));
    CHECK(!memcmp(p, in, sizeof(in)), "set %d: a point of the set has moved", k);
    PetscCall(Project3(comm, sets[k], inf, nan, 0, p));
    CHECK(p[0] == inf && PetscIsNanReal(p[1]) && PetscIsNanReal(p[2]), "set %d: %g %g %g", k, p[0], p[1],
          p[2]);
    PetscCall(Project3(comm, sets[k], nan, 0, -inf, p));
    CHECK(PetscIsNanReal(p[0]) && PetscIsNanReal(p[1]) && PetscIsNanReal(p[2]), "set %d: %g %g %g", k, p[0],
          p[1], p[2]);
    PetscCall(NewVec(comm, 3, &v));
    PetscCall(NewVec(comm, 4, &w));
    PetscCall(Make(comm, sets[k], &lset));
    PetscCall(LSETSetUp(lset, v));
    PetscCall(LSETSetRadius(lset, 10));
    PetscCall(LSETSetUp(lset, w));
    PetscCall(Apply(lset, w, (PetscReal[4]){5, 30, -40, 9}, p));
    CHECK(p[0] == 5 && PetscAbsReal(p[1] - 6) < 1e-14 && PetscAbsReal(p[2] + 8) < 1e-14 && p[3] == 9,
          "set %d, another layout: %g %g %g %g", k, p[0], p[1], p[2], p[3]);
    PetscCall(LSETDestroy(&lset));
    PetscCall(VecDestroy(&v));
    PetscCall(VecDestroy(&w));
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ what is refused */

static PetscErrorCode MakeOnly(MPI_Comm comm, const char text[])
{
  LSET lset;

  PetscFunctionBegin;
  PetscCall(Make(comm, text, &lset));
  PetscCall(LSETDestroy(&lset));
  PetscFunctionReturn(0);
}

/* A set made from options that raises: what was made before it stays behind. */
#define REFUSED_OPTIONS(code, words, text)                                                                   \
  do {                                                                                                       \
    REFUSED(code, words, MakeOnly(comm, text));                                                              \
    PetscCall(PetscOptionsPop());                                                                            \
  } while (0)

static PetscErrorCode CheckBadOptions(MPI_Comm comm)
{
  const PetscErrorCode range = PETSC_ERR_ARG_OUTOFRANGE;

  PetscFunctionBegin;
  REFUSED_OPTIONS(PETSC_ERR_ARG_UNKNOWN_TYPE, "closest: simplex", "-upper_lset_type simplx");
  REFUSED_OPTIONS(range, "-upper_lset_lower 2, -upper_lset_upper 1",
                  "-upper_lset_type box -upper_lset_lower 2 -upper_lset_upper 1");
  REFUSED_OPTIONS(range, "-upper_lset_lower nan", "-upper_lset_type box -upper_lset_lower nan");
  REFUSED_OPTIONS(range, "-upper_lset_lower inf", "-upper_lset_type box -upper_lset_lower inf");
  REFUSED_OPTIONS(range, "-upper_lset_upper -1", "-upper_lset_type box -upper_lset_upper -1e308");
  REFUSED_OPTIONS(range, "-upper_lset_radius 0", "-upper_lset_type simplex -upper_lset_radius 0");
  REFUSED_OPTIONS(range, "-upper_lset_radius -1", "-upper_lset_type l2ball -upper_lset_radius -1");
  REFUSED_OPTIONS(range, "-upper_lset_radius nan", "-upper_lset_type l2ball -upper_lset_radius nan");
  REFUSED_OPTIONS(range, "-upper_lset_radius inf", "-upper_lset_type simplex -upper_lset_radius inf");
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckBadSpectral(MPI_Comm comm)
{
  const PetscErrorCode range = PETSC_ERR_ARG_OUTOFRANGE;
  PetscViewer viewer;
  LSET lset;
  Vec v;

  PetscFunctionBegin;
  PetscCall(NewVec(comm, 10, &v));
  PetscCall(PetscViewerASCIIOpen(comm, "/dev/null", &viewer));
  REFUSED_OPTIONS(range, "-upper_lset_rows 0", "-upper_lset_type spectral -upper_lset_offset 1");
  REFUSED_OPTIONS(range, "-upper_lset_offset -1",
                  "-upper_lset_type spectral -upper_lset_rows 2 -upper_lset_offset -1");
  REFUSED_OPTIONS(range, "-upper_lset_kernel 3, -upper_lset_grid 2",
                  "-upper_lset_type convspectral -upper_lset_channels_out 2 -upper_lset_grid 2");
  REFUSED_OPTIONS(range, "-upper_lset_channels_out 0", "-upper_lset_type convspectral -upper_lset_grid 4");
  REFUSED_OPTIONS(range, "-upper_lset_sweeps 0", "-upper_lset_type convspectral -upper_lset_sweeps 0");
  PetscCall(Make(comm, "-upper_lset_type spectral", &lset));
  REFUSED(PETSC_ERR_ARG_INCOMP, "-upper_lset_type spectral has no matrix", LSETProject(lset, v));
  PetscCall(LSETSpectralSetMatrix(lset, 2, 3, 3));
  PetscCall(LSETView(lset, viewer));
  REFUSED(PETSC_ERR_ARG_SIZ,
          "-upper_lset_offset 2: the matrix has 9 entries from there on, and the vector 10",
          LSETSetUp(lset, v));
  PetscCall(LSETSpectralSetMatrix(lset, 1, 3, 3));
  PetscCall(LSETSetUp(lset, v));
  REFUSED(PETSC_ERR_ARG_WRONG, "type convspectral", LSETConvSpectralSetKernel(lset, 0, 1, 1, 1, 1));
  REFUSED(PETSC_ERR_ARG_WRONG, "type convspectral", LSETConvSpectralSetSweeps(lset, 2));
  PetscCall(LSETSetType(lset, LSETCONVSPECTRAL));
  REFUSED(PETSC_ERR_ARG_WRONG, "type spectral", LSETSpectralSetMatrix(lset, 0, 1, 1));
  REFUSED(PETSC_ERR_ARG_INCOMP, "-upper_lset_type convspectral has no kernel", LSETProject(lset, v));
  PetscCall(LSETConvSpectralSetKernel(lset, 2, 1, 1, 3, 3));
  PetscCall(LSETView(lset, viewer));
  REFUSED(PETSC_ERR_ARG_SIZ, "the kernel has 9 entries from there on, and the vector 10", LSETSetUp(lset, v));
  PetscCall(LSETConvSpectralSetKernel(lset, 1, 1, 1, 3, 4));
  PetscCall(LSETSetUp(lset, v));
  PetscCall(LSETView(lset, viewer));
  PetscCall(LSETDestroy(&lset));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckBadBounds(MPI_Comm comm)
{
  PetscReal b[40];
  PetscBool in, has;
  Vec v, w, odd;
  LSET lset;

  PetscFunctionBegin;
  PetscCall(NewVec(comm, 40, &v));
  PetscCall(NewVec(comm, 41, &w));
  PetscCall(NewVec(comm, 40, &odd));
  PetscCall(LSETCreate(comm, &lset));
  REFUSED(PETSC_ERR_ARG_WRONG, "LSETBoxSetBounds() is for sets of type box", LSETBoxSetBounds(lset, v, v));
  PetscCall(LSETSetType(lset, LSETNONNEG));
  REFUSED(PETSC_ERR_ARG_WRONG, "this one has type nonneg", LSETBoxSetConstants(lset, 0, 1));
  REFUSED(PETSC_ERR_ARG_WRONG, "type l2ball", LSETL2BallSetCenter(lset, v));
  REFUSED(PETSC_ERR_ARG_WRONG, "type product", LSETProductAdd(lset, NULL, NULL));
  PetscCall(LSETSetUp(lset, v)); /* holds for this type only */
  PetscCall(LSETSetType(lset, LSETBOX));
  REFUSED(PETSC_ERR_ARG_INCOMP, "no bounds", LSETProject(lset, v));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "1.5", LSETBoxSetConstants(lset, 1.5, 1));
  PetscCall(LSETBoxSetConstants(lset, -INFINITY, INFINITY)); /* said so: no mistake */
  PetscCall(LSETSetUp(lset, v));
  for (int i = 0; i < 40; i++) b[i] = i == 30 || i == 11 ? 5 : 1;
  PetscCall(VecFill(v, b));
  PetscCall(LSETBoxSetBounds(lset, v, NULL));
  PetscCall(VecSet(v, 2.5));
  PetscCall(LSETBoxSetBounds(lset, NULL, v));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "entry 11: lower bound 5, upper bound 2.5", LSETSetUp(lset, v));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "entry 11", LSETProject(lset, v)); /* and again */
  b[39] = (PetscReal)NAN;
  b[30] = b[11] = 1;
  PetscCall(VecFill(v, b));
  PetscCall(LSETBoxSetBounds(lset, v, NULL));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "entry 39: lower bound nan", LSETSetUp(lset, v));
  PetscCall(LSETBoxSetBounds(lset, w, NULL));
  REFUSED(PETSC_ERR_ARG_SIZ, "lower bounds of 41 entries", LSETSetUp(lset, v));
  PetscCall(VecSet(w, 0));
  PetscCall(VecSet(v, 1));
  PetscCall(LSETBoxSetBounds(lset, v, w));
  REFUSED(PETSC_ERR_ARG_SIZ, "upper bounds of 41 entries", LSETSetUp(lset, v));
  PetscCall(LSETBoxSetConstants(lset, 0, 1));
  PetscCall(LSETSetUp(lset, v));
  REFUSED(PETSC_ERR_ARG_SIZ, "41 entries", LSETProject(lset, w));
  REFUSED(PETSC_ERR_ARG_SIZ, "41 entries", LSETContains(lset, w, 0, &in));
  REFUSED(PETSC_ERR_ARG_SIZ, "41 entries", LSETGetBounds(lset, v, w, &has));
  REFUSED(PETSC_ERR_ARG_SIZ, "41 entries", LSETGetBounds(lset, w, v, &has));
  REFUSED(PETSC_ERR_ARG_SIZ, "41 entries", LSETProjectedGradientNorm(lset, v, w, &b[0]));
  REFUSED(PETSC_ERR_ARG_SIZ, "41 entries", LSETProjectedGradientNorm(lset, w, v, &b[0]));
  REFUSED(PETSC_ERR_ARG_NULL, "both", LSETGetBounds(lset, v, NULL, &has));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "tolerance -1", LSETContains(lset, v, -1, &in));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "tolerance nan", LSETContains(lset, v, (PetscReal)NAN, &in));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "radius 0", LSETSetRadius(lset, 0));
  PetscCall(LSETSetType(lset, LSETL2BALL));
  PetscCall(VecFill(odd, b));
  PetscCall(LSETL2BallSetCenter(lset, odd));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "entry 39 of the center", LSETSetUp(lset, v));
  PetscCall(LSETL2BallSetCenter(lset, w));
  REFUSED(PETSC_ERR_ARG_SIZ, "center of 41 entries", LSETSetUp(lset, v));
  PetscCall(LSETL2BallSetCenter(lset, NULL));
  PetscCall(LSETSetUp(lset, v));
  PetscCall(LSETDestroy(&lset));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&odd));
  PetscFunctionReturn(0);
}

/* The same number of entries, dealt otherwise; a set of no entries; a vector of one rank alone. */
static PetscErrorCode CheckBadLayouts(MPI_Comm comm)
{
  PetscMPIInt rank, size;
  LSET lset;
  Vec v, w;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(NewVec(comm, 8, &v));
  PetscCall(Make(comm, "-upper_lset_type simplex", &lset));
  PetscCall(LSETSetUp(lset, v));
  PetscCall(VecCreate(comm, &w));
  PetscCall(VecSetSizes(w, rank == 0 ? 8 : 0, 8));
  PetscCall(VecSetType(w, VECSTANDARD));
  PetscCall(VecSet(w, 1));
  if (size > 1) {
    REFUSED(PETSC_ERR_ARG_SIZ, "8 on the first rank", LSETProject(lset, w));
  } else {
    CHECK(LSETProject(lset, w) == 0, "one rank");
  }
  PetscCall(VecDestroy(&w));
  PetscCall(NewVec(comm, 0, &w));
  REFUSED(PETSC_ERR_ARG_SIZ, "one entry at least", LSETSetUp(lset, w));
  PetscCall(LSETSetType(lset, LSETL2BALL));
  PetscCall(LSETSetUp(lset, w)); /* a point */
  PetscCall(LSETProject(lset, w));
  PetscCall(LSETSetUp(lset, v));
  PetscCall(VecDestroy(&w));
  PetscCall(NewVec(PETSC_COMM_SELF, 8, &w));
  if (size > 1) {
    REFUSED(PETSC_ERR_ARG_NOTSAMECOMM, "not on the ranks", LSETSetUp(lset, w));
  } else {
    CHECK(LSETSetUp(lset, w) == 0, "one rank");
  }
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&v));
  PetscCall(LSETDestroy(&lset));
  PetscFunctionReturn(0);
}

/* Adds the entries of an array to a product, all of them from the last rank. */
static PetscErrorCode AddFromLast(LSET lset, PetscInt n, const PetscInt entries[], LSET part)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)lset);
  PetscMPIInt rank, size;
  IS is;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(ISCreateGeneral(comm, rank == size - 1 ? n : 0, entries, PETSC_COPY_VALUES, &is));
  PetscCall(LSETProductAdd(lset, is, part));
  PetscCall(ISDestroy(&is));
  PetscFunctionReturn(0);
}

static PetscErrorCode NewProduct(MPI_Comm comm, LSET *lset)
{
  PetscFunctionBegin;
  PetscCall(LSETDestroy(lset));
  PetscCall(LSETCreate(comm, lset));
  PetscCall(LSETSetType(*lset, LSETPRODUCT));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckBadProducts(MPI_Comm comm)
{
  PetscMPIInt size;
  LSET lset = NULL, part, alone;
  IS is;
  Vec v;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(NewVec(comm, 10, &v));
  PetscCall(Make(comm, "-upper_lset_type nonneg", &part));
  PetscCall(LSETCreate(PETSC_COMM_SELF, &alone));
  PetscCall(Make(comm, "-upper_lset_type product", &lset));
  REFUSED(PETSC_ERR_ARG_INCOMP, "-upper_lset_type product has no parts", LSETProject(lset, v));
  PetscCall(AddFromLast(lset, 3, (PetscInt[]){1, 7, 2}, part));
  PetscCall(LSETSetUp(lset, v));
  PetscCall(AddFromLast(lset, 2, (PetscInt[]){0, 3}, part));
  PetscCall(LSETSetUp(lset, v));
  PetscCall(AddFromLast(lset, 3, (PetscInt[]){4, 7, 3}, part));
  REFUSED(PETSC_ERR_ARG_INCOMP, "entry 7 is in part 0 of a product and in part 2", LSETSetUp(lset, v));
  PetscCall(NewProduct(comm, &lset));
  PetscCall(AddFromLast(lset, 3, (PetscInt[]){4, 9, 4}, part));
  REFUSED(PETSC_ERR_ARG_INCOMP, "entry 4 is named 2 times in part 0", LSETSetUp(lset, v));
  PetscCall(NewProduct(comm, &lset));
  PetscCall(AddFromLast(lset, 2, (PetscInt[]){0, 10}, part));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "entry 10, and the vector has 10", LSETSetUp(lset, v));
  PetscCall(NewProduct(comm, &lset));
  PetscCall(AddFromLast(lset, 2, (PetscInt[]){0, -1}, part));
  REFUSED(PETSC_ERR_ARG_OUTOFRANGE, "entry -1", LSETSetUp(lset, v));
  PetscCall(NewProduct(comm, &lset));
  PetscCall(LSETSetType(part, LSETSIMPLEX));
  PetscCall(AddFromLast(lset, 0, NULL, part));
  REFUSED(PETSC_ERR_ARG_SIZ, "one entry at least", LSETSetUp(lset, v));
  PetscCall(ISCreateStride(comm, 1, 3, 1, &is)); /* each rank names entry 3 */
  PetscCall(NewProduct(comm, &lset));
  PetscCall(LSETProductAdd(lset, is, part));
  PetscCall(ISDestroy(&is));
  PetscCall(ISCreateStride(PETSC_COMM_SELF, 1, 3, 1, &is));
  /* on one rank all of this is right */
  REFUSED(size > 1 ? PETSC_ERR_ARG_INCOMP : 0, size > 1 ? "each entry once" : "", LSETSetUp(lset, v));
  REFUSED(size > 1 ? PETSC_ERR_ARG_NOTSAMECOMM : 0, size > 1 ? "index set" : "",
          LSETProductAdd(lset, is, part));
  PetscCall(ISDestroy(&is));
  PetscCall(ISCreateStride(comm, 0, 0, 1, &is));
  REFUSED(size > 1 ? PETSC_ERR_ARG_NOTSAMECOMM : 0, size > 1 ? "a part is not" : "",
          LSETProductAdd(lset, is, alone));
  PetscCall(ISDestroy(&is));
  PetscCall(LSETDestroy(&alone));
  PetscCall(LSETDestroy(&part));
  PetscCall(LSETDestroy(&lset));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ */

static PetscErrorCode Suite(MPI_Comm comm, int nsizes, const PetscInt sizes[])
{
  PetscFunctionBegin;
  PetscCall(CheckAll(comm, nsizes, sizes));
  PetscCall(CheckNotFinite(comm));
  PetscCall(CheckNorms(comm));
  PetscCall(CheckExtremes(comm));
  PetscCall(CheckSettings(comm));
  PetscCall(CheckSpectral(comm));
  PetscCall(CheckBadOptions(comm));
  PetscCall(CheckBadSpectral(comm));
  PetscCall(CheckBadBounds(comm));
  PetscCall(CheckBadProducts(comm));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscMPIInt rank, size;
  MPI_Comm part;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(LSETRegister("meanzero", CreateMeanZero));
  PetscCall(Suite(TEST_COMM, 3, (PetscInt[]){1, 3, 300}));
  PetscCall(CheckSweeps(TEST_COMM));
  PetscCall(CheckBadLayouts(TEST_COMM));
  PetscCallMPI(MPI_Comm_split(TEST_COMM, rank < size / 2, -rank, &part)); /* in another order */
  PetscCall(Suite(part, 1, (PetscInt[]){40}));
  PetscCallMPI(MPI_Comm_free(&part));
  PetscCall(TestFinalize());
  return 0;
}
