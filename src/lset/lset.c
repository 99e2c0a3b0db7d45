/* LSET: the set Lambda. Interface and dispatch; what follows from the projection alone. */
#include <twofold/impl/lsetimpl.h>

PetscClassId LSET_CLASSID;
static PetscFunctionList LSETList = NULL;

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode LSETRegisterAll(void)
{
  PetscFunctionBegin;
  if (LSETList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Upper-Level Set", &LSET_CLASSID));
  PetscCall(TwofoldListAdd(&LSETList, LSETFREE, (TwofoldConstructor)LSETCreate_Free));
  PetscCall(TwofoldListAdd(&LSETList, LSETBOX, (TwofoldConstructor)LSETCreate_Box));
  PetscCall(TwofoldListAdd(&LSETList, LSETNONNEG, (TwofoldConstructor)LSETCreate_NonNeg));
  PetscCall(TwofoldListAdd(&LSETList, LSETSIMPLEX, (TwofoldConstructor)LSETCreate_Simplex));
  PetscCall(TwofoldListAdd(&LSETList, LSETL2BALL, (TwofoldConstructor)LSETCreate_L2Ball));
  PetscCall(TwofoldListAdd(&LSETList, LSETPRODUCT, (TwofoldConstructor)LSETCreate_Product));
  PetscCall(TwofoldListAdd(&LSETList, LSETSPECTRAL, (TwofoldConstructor)LSETCreate_Spectral));
  PetscCall(TwofoldListAdd(&LSETList, LSETCONVSPECTRAL, (TwofoldConstructor)LSETCreate_ConvSpectral));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETRegister(const char type[], PetscErrorCode (*create)(LSET))
{
  PetscFunctionBegin;
  PetscCall(LSETRegisterAll());
  PetscCall(TwofoldListAdd(&LSETList, type, (TwofoldConstructor)create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETGetRegistered(PetscInt *n, const char ***types)
{
  PetscFunctionBegin;
  PetscCall(LSETRegisterAll());
  PetscCall(TwofoldListTypes(LSETList, n, types));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCreate(MPI_Comm comm, LSET *set)
{
  LSET lset;

  PetscFunctionBegin;
  PetscCall(LSETRegisterAll());
  PetscCall(
      PetscHeaderCreate(lset, LSET_CLASSID, "LSET", "Upper-level set", "LSET", comm, LSETDestroy, LSETView));
  lset->radius = 1;
  *set = lset;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETDestroy(LSET *lset)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)lset)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscTryTypeMethod(*lset, destroy);
  PetscCall(VecDestroy(&(*lset)->work));
  PetscCall(VecDestroy(&(*lset)->target));
  PetscCall(PetscHeaderDestroy(lset));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETSetOptionsPrefix(LSET lset, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)lset, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETSetType(LSET lset, LSETType type)
{
  PetscBool changed;

  PetscFunctionBegin;
  PetscCall(TwofoldSetType((PetscObject)lset, LSETList, "lset_type", type, (TwofoldTypeFn)lset->ops->destroy,
                           lset->ops, sizeof(struct _LSETOps), &changed));
  if (changed) lset->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETGetType(LSET lset, LSETType *type)
{
  PetscFunctionBegin;
  *type = ((PetscObject)lset)->type_name;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETSetRadius(LSET lset, PetscReal radius)
{
  const char *const prefix = ((PetscObject)lset)->prefix;

  PetscFunctionBegin;
  PetscCheck(radius > 0 && !PetscIsInfReal(radius), PetscObjectComm((PetscObject)lset),
             PETSC_ERR_ARG_OUTOFRANGE, "-%slset_radius %g: the radius must be positive and finite",
             prefix ? prefix : "", (double)radius);
  lset->radius = radius;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETGetRadius(LSET lset, PetscReal *radius)
{
  PetscFunctionBegin;
  *radius = lset->radius;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETSetFromOptions(LSET lset)
{
  char type[64];
  PetscReal radius = lset->radius;

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)lset);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-lset_type", "Set of the upper level", "LSETSetType",
                               LSETList, LSETFREE, type, sizeof(type)));
  PetscCall(LSETSetType(lset, type));
  if (lset->uses_radius)
    PetscCall(PetscOptionsReal("-lset_radius", "Radius of a ball, sum of a simplex, largest singular value",
                               "LSETSetRadius", radius, &radius, NULL));
  PetscTryTypeMethod(lset, setfromoptions, PetscOptionsObject);
  PetscCall(PetscOptionsViewer("-lset_view", "Print the set", "LSETView", NULL, NULL, NULL));
  PetscOptionsEnd();
  PetscCall(LSETSetRadius(lset, radius));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETView(LSET lset, PetscViewer viewer)
{
  PetscBool ascii;

  PetscFunctionBegin;
  PetscCall(TwofoldViewHeader((PetscObject)lset, &viewer, &ascii));
  if (!ascii) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscViewerASCIIPushTab(viewer));
  if (lset->uses_radius) PetscCall(PetscViewerASCIIPrintf(viewer, "radius %g\n", (double)lset->radius));
  PetscTryTypeMethod(lset, view, viewer);
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ layout */

static PetscErrorCode SameLayout(Vec x, Vec y, PetscBool *same)
{
  PetscLayout a, b;

  PetscFunctionBegin;
  PetscCall(VecGetLayout(x, &a));
  PetscCall(VecGetLayout(y, &b));
  PetscCall(PetscLayoutCompare(a, b, same)); /* of all ranks' ranges: the same verdict on each */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCheckLayout_Private(LSET lset, Vec x, Vec layout, const char what[])
{
  const PetscInt *start[2]; /* of each rank: the message is the same on all */
  PetscInt n[2];
  PetscBool same;

  PetscFunctionBegin;
  PetscCall(SameLayout(x, layout, &same));
  if (same) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecGetSize(x, &n[0]));
  PetscCall(VecGetSize(layout, &n[1]));
  PetscCall(VecGetOwnershipRanges(x, &start[0]));
  PetscCall(VecGetOwnershipRanges(layout, &start[1]));
  SETERRQ(PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_SIZ,
          "%s of %" PetscInt_FMT " entries (%" PetscInt_FMT
          " on the first rank) for a set of vectors of %" PetscInt_FMT " (%" PetscInt_FMT
          "): make it by VecDuplicate() of such a vector, or LSETSetUp() the set for another layout",
          what, n[0], start[0][1], n[1], start[1][1]);
}

PetscErrorCode LSETCheckRange_Private(LSET lset, Vec layout, PetscInt first, PetscReal n, const char what[])
{
  const char *const prefix = ((PetscObject)lset)->prefix ? ((PetscObject)lset)->prefix : "";
  PetscInt size;

  PetscFunctionBegin;
  PetscCall(VecGetSize(layout, &size));
  PetscCheck((PetscReal)first + n <= (PetscReal)size, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_SIZ,
             "-%slset_offset %" PetscInt_FMT
             ": %s has %.0f entries from there on, and the vector %" PetscInt_FMT " in all",
             prefix, first, what, (double)n, size);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETGather_Private(Vec layout, PetscInt first, PetscInt n, Vec *here, VecScatter *scatter)
{
  IS is;

  PetscFunctionBegin;
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, n, here));
  PetscCall(ISCreateStride(PETSC_COMM_SELF, n, first, 1, &is));
  PetscCall(VecScatterCreate(layout, is, *here, NULL, scatter));
  PetscCall(ISDestroy(&is));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCheckType_Private(LSET lset, LSETType type, const char function[])
{
  const char *const own = ((PetscObject)lset)->type_name;
  PetscBool same;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)lset, type, &same));
  PetscCheck(same, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_WRONG,
             "%s() is for sets of type %s, and this one has %s%s: LSETSetType(lset, \"%s\") first", function,
             type, own ? "type " : "none", own ? own : "", type);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETSetUp_Private(LSET lset, Vec layout)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)lset);
  PetscMPIInt relation;
  PetscBool same = PETSC_FALSE;

  PetscFunctionBegin;
  if (lset->work) PetscCall(SameLayout(layout, lset->work, &same));
  if (lset->setup && same) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Comm_compare(comm, PetscObjectComm((PetscObject)layout), &relation));
  PetscCheck(relation == MPI_IDENT || relation == MPI_CONGRUENT, comm, PETSC_ERR_ARG_NOTSAMECOMM,
             "the vector is not on the ranks of the set: LSETCreate() it on the vector's communicator");
  lset->setup = PETSC_FALSE;
  if (!((PetscObject)lset)->type_name) PetscCall(LSETSetType(lset, LSETFREE));
  if (!same) {
    PetscCall(VecDestroy(&lset->work));
    PetscCall(VecDestroy(&lset->target));
    PetscCall(VecDuplicate(layout, &lset->work));
  }
  PetscTryTypeMethod(lset, setup, lset->work);
  lset->setup = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETSetUp(LSET lset, Vec layout)
{
  const PetscBool before = lset->setup;

  PetscFunctionBegin;
  PetscCall(LSETSetUp_Private(lset, layout));
  if (!before) PetscCall(PetscObjectViewFromOptions((PetscObject)lset, NULL, "-lset_view"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Sets up for x on first use; from then on x must be laid out alike. */
static PetscErrorCode Ready(LSET lset, Vec x, const char what[])
{
  PetscFunctionBegin;
  if (lset->setup)
    PetscCall(LSETCheckLayout_Private(lset, x, lset->work, what));
  else
    PetscCall(LSETSetUp(lset, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ projection and what follows from it */

PetscErrorCode LSETProject(LSET lset, Vec x)
{
  PetscFunctionBegin;
  PetscCall(Ready(lset, x, "a vector"));
  PetscCall(PetscLogEventBegin(TWOFOLD_LSETProject, lset, x, 0, 0));
  PetscUseTypeMethod(lset, project, x);
  PetscCall(PetscLogEventEnd(TWOFOLD_LSETProject, lset, x, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETScaledNorm_Private(MPI_Comm comm, PetscInt n, const PetscScalar d[], PetscReal *scale,
                                      PetscReal *factor)
{
  PetscReal largest[2] = {0,
                          0}; /* max |d_i| but for NaN; whether there is a NaN, on which MPI_MAX is vague */
  PetscReal sum = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    if (PetscAbsScalar(d[i]) > largest[0]) largest[0] = PetscAbsScalar(d[i]);
    if (PetscIsNanScalar(d[i])) largest[1] = 1;
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, largest, 2, MPIU_REAL, MPIU_MAX, comm));
  *scale = largest[1] > 0 ? (PetscReal)NAN : largest[0];
  *factor = *scale == 0 ? 0 : 1;
  if (*scale == 0 || PetscIsInfOrNanReal(*scale)) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = 0; i < n; i++) sum += PetscSqr(d[i] / *scale);
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPIU_SUM, comm));
  PetscCall(PetscLogFlops(3.0 * (PetscLogDouble)n));
  *factor = PetscSqrtReal(sum);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||start - P(target)|| with P(target) in lset->work, which is overwritten. An entry that P leaves alone
   counts with that of `same` (0 where it is NULL), which is start - target before rounding: no digits of x -
   (x - g) are lost, and no infinity is taken from itself. */
static PetscErrorCode NormFromWork(LSET lset, Vec start, Vec target, Vec same, PetscReal *norm)
{
  const PetscScalar *x, *t, *s = NULL;
  PetscScalar *d;
  PetscReal scale, factor;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(start, &n));
  PetscCall(VecGetArrayRead(start, &x));
  PetscCall(VecGetArrayRead(target, &t));
  if (same) PetscCall(VecGetArrayRead(same, &s));
  PetscCall(VecGetArray(lset->work, &d));
  for (PetscInt i = 0; i < n; i++) {
    if (d[i] == t[i])
      d[i] = s ? s[i] : 0;
    else
      d[i] = x[i] - d[i];
  }
  PetscCall(LSETScaledNorm_Private(PetscObjectComm((PetscObject)lset), n, d, &scale, &factor));
  PetscCall(VecRestoreArray(lset->work, &d));
  if (same) PetscCall(VecRestoreArrayRead(same, &s));
  PetscCall(VecRestoreArrayRead(target, &t));
  PetscCall(VecRestoreArrayRead(start, &x));
  *norm = scale * factor;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETDistance(LSET lset, Vec x, PetscReal *distance)
{
  PetscFunctionBegin;
  PetscCall(Ready(lset, x, "a vector"));
  PetscCall(VecCopy(x, lset->work));
  PetscCall(LSETProject(lset, lset->work));
  PetscCall(NormFromWork(lset, x, x, NULL, distance));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETContains(LSET lset, Vec x, PetscReal tol, PetscBool *in)
{
  PetscReal distance;

  PetscFunctionBegin;
  PetscCheck(tol >= 0, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_OUTOFRANGE,
             "tolerance %g of the distance to a set: must not be negative", (double)tol);
  PetscCall(LSETDistance(lset, x, &distance));
  *in = (PetscBool)(distance <= tol);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETProjectedGradientNorm(LSET lset, Vec x, Vec g, PetscReal *norm)
{
  PetscFunctionBegin;
  PetscCall(Ready(lset, x, "a point"));
  PetscCall(LSETCheckLayout_Private(lset, g, lset->work, "a gradient"));
  if (!lset->target) PetscCall(VecDuplicate(lset->work, &lset->target));
  PetscCall(VecWAXPY(lset->target, -1, g, x));
  PetscCall(VecCopy(lset->target, lset->work));
  PetscCall(LSETProject(lset, lset->work));
  PetscCall(NormFromWork(lset, x, lset->target, g, norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETGetBounds(LSET lset, Vec lower, Vec upper, PetscBool *has)
{
  PetscFunctionBegin;
  PetscCheck(!lower == !upper, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_NULL,
             "give vectors for both bounds, or NULL for both");
  if (lower) {
    PetscCall(Ready(lset, lower, "a vector of bounds"));
    PetscCall(LSETCheckLayout_Private(lset, upper, lset->work, "a vector of bounds"));
  } else if (!((PetscObject)lset)->type_name)
    PetscCall(LSETSetType(lset, LSETFREE));
  *has = PETSC_FALSE;
  PetscTryTypeMethod(lset, getbounds, lower, upper, has);
  PetscFunctionReturn(PETSC_SUCCESS);
}
