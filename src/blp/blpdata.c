/* Where a problem's samples come from: three files, one file and a split, or a generator. */
#include <twofold/impl/blpimpl.h>

/* Whether the samples are made instead of read, and whether these are text. */
static PetscBool IsText(BLP blp)
{
  return (PetscBool)!strcmp(blp->source, "synthetic_text");
}

static PetscBool IsSynthetic(BLP blp)
{
  return (PetscBool)(!strcmp(blp->source, "synthetic") || IsText(blp));
}

static PetscErrorCode LinearOptions(DataSetSyntheticRule *rule, PetscOptionItems *PetscOptionsObject)
{
  PetscFunctionBegin;
  PetscCall(PetscOptionsReal("-blp_synthetic_noise", "S of y = X w* + S e in synthetic samples",
                             "DataSetCreateSynthetic", rule->noise, &rule->noise, NULL));
  PetscCall(PetscOptionsEnum("-blp_synthetic_kind", "Labels of synthetic samples: y, or its sign",
                             "DataSetCreateSynthetic", DataSetSyntheticKinds, (PetscEnum)rule->kind,
                             (PetscEnum *)&rule->kind, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TextOptions(DataSetSyntheticTextRule *rule, PetscOptionItems *PetscOptionsObject)
{
  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-blp_synthetic_classes", "Classes of synthetic text",
                            "DataSetCreateSyntheticText", rule->c, &rule->c, NULL));
  PetscCall(PetscOptionsReal("-blp_synthetic_length", "Mean number of words of a synthetic document",
                             "DataSetCreateSyntheticText", rule->length, &rule->length, NULL));
  PetscCall(PetscOptionsReal("-blp_synthetic_zipf", "S of Zipf's law P(r) ~ 1 / r^S in synthetic text",
                             "DataSetCreateSyntheticText", rule->zipf, &rule->zipf, NULL));
  PetscCall(PetscOptionsReal("-blp_synthetic_topic", "Share of the words that a class prefers",
                             "DataSetCreateSyntheticText", rule->topic, &rule->topic, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SyntheticOptions(BLP blp, PetscBool folds, PetscOptionItems *PetscOptionsObject)
{
  const PetscBool text = IsText(blp);
  PetscInt *const n = text ? blp->ntext : blp->nsynthetic;
  PetscInt *const p = text ? &blp->text.p : &blp->synthetic.p;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-blp_synthetic_n", "Synthetic training samples", "DataSetCreateSynthetic",
                            n[BLP_TRAIN], &n[BLP_TRAIN], NULL));
  if (!folds) /* they are some of the training samples there */
    PetscCall(PetscOptionsInt("-blp_synthetic_nval", "Synthetic validation samples", "DataSetCreateSynthetic",
                              n[BLP_VAL], &n[BLP_VAL], NULL));
  PetscCall(PetscOptionsInt("-blp_synthetic_ntest", "Synthetic test samples (0: none)",
                            "DataSetCreateSynthetic", n[BLP_TEST], &n[BLP_TEST], NULL));
  PetscCall(PetscOptionsInt("-blp_synthetic_p", "Features of synthetic samples", "DataSetCreateSynthetic", *p,
                            p, NULL));
  if (text)
    PetscCall(TextOptions(&blp->text, PetscOptionsObject));
  else
    PetscCall(LinearOptions(&blp->synthetic, PetscOptionsObject));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPDataSetFromOptions_Private(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  PetscInt seed = (PetscInt)blp->split.seed, F = blp->folds.F, G = blp->folds.G;
  PetscBool synthetic;

  PetscFunctionBegin;
  if (blp->is_fold) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscOptionsString("-blp_train", "Training samples: file", "BLPSetData", blp->path[0],
                               blp->path[0], sizeof(blp->path[0]), NULL));
  if (blp->path[BLP_TRAIN][0]) /* refused as unused where it is split */
    PetscCall(PetscOptionsInt("-blp_train_first", "Take the first so many of -blp_train's samples (0: all)",
                              "BLPSetData", blp->train_first, &blp->train_first, NULL));
  PetscCall(PetscOptionsString("-blp_val", "Validation samples: file", "BLPSetData", blp->path[1],
                               blp->path[1], sizeof(blp->path[1]), NULL));
  PetscCall(PetscOptionsString("-blp_test", "Test samples: file", "BLPSetData", blp->path[2], blp->path[2],
                               sizeof(blp->path[2]), NULL));
  PetscCall(
      PetscOptionsString("-blp_data",
                         "Samples to split: file, or folder of a text corpus; or made, as -blp_synthetic_* "
                         "say (one of) synthetic synthetic_text",
                         "BLPSetData", blp->source, blp->source, sizeof(blp->source), NULL));
  synthetic = IsSynthetic(blp);
  PetscCall(PetscOptionsInt("-blp_folds", "Cross-validation: folds of -blp_data (0: none)", "BLPSetFolds", F,
                            &F, NULL));
  if (F) /* refused as unused where there is none, as is the split where there are folds */
    PetscCall(PetscOptionsInt("-blp_fold_groups", "Groups of ranks that compute folds at the same time",
                              "BLPSetFolds", G, &G, NULL));
  PetscCall(BLPSetFolds(blp, F, G));
  blp->folds.from_options = PETSC_TRUE;
  if (synthetic) PetscCall(SyntheticOptions(blp, (PetscBool)(F > 0), PetscOptionsObject));
  if (!blp->path[BLP_TRAIN][0] && !F && !synthetic)
    PetscCall(PetscOptionsString(
        "-blp_split", "Split of -blp_data: third, bydate, or fractions such as 0.6,0.2,0.2", "DataSetSplit",
        blp->split.kind, blp->split.kind, sizeof(blp->split.kind), NULL));
  if (!blp->path[BLP_TRAIN][0]) { /* separate files are not split: these are then refused as unused */
    PetscCall(PetscOptionsInt("-blp_seed", "Key of the random split, and of synthetic samples",
                              "DataSetSplit", seed, &seed, NULL));
    if (!synthetic || F)
      PetscCall(PetscOptionsBool("-blp_stratified", "Split each class by itself", "DataSetSplit",
                                 blp->split.stratified, &blp->split.stratified, NULL));
  }
  blp->split.seed = seed;
  PetscCall(PetscOptionsEnum("-data_scale", "Scale features by the training samples", "DataSetComputeScaling",
                             DataSetScales, (PetscEnum)blp->scaling, (PetscEnum *)&blp->scaling, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateReader(BLP blp, DataSet *ds)
{
  PetscFunctionBegin;
  PetscCall(DataSetCreate(PetscObjectComm((PetscObject)blp), ds));
  PetscCall(DataSetSetOptionsPrefix(*ds, ((PetscObject)blp)->prefix));
  PetscCall(DataSetSetFromOptions(*ds));
  PetscCall(DataSetSetTargets(*ds, blp->targets));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One of the three parts. */
static PetscErrorCode MakePart(BLP blp, int s, DataSet *set)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);

  PetscFunctionBegin;
  blp->text.seed = blp->synthetic.seed = blp->split.seed;
  blp->text.n = blp->ntext[s];
  blp->synthetic.n = blp->nsynthetic[s];
  if (IsText(blp))
    PetscCall(DataSetCreateSyntheticText(comm, &blp->text, s, set));
  else
    PetscCall(DataSetCreateSynthetic(comm, &blp->synthetic, s, set));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Training, validation and test samples of one model; without validation samples where there are folds. */
static PetscErrorCode MakeSynthetic(BLP blp)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  const PetscInt *const n = IsText(blp) ? blp->ntext : blp->nsynthetic;

  PetscFunctionBegin;
  PetscCheck(IsText(blp) || blp->synthetic.kind != DATASET_SYNTHETIC_REGRESSION || blp->targets, comm,
             PETSC_ERR_ARG_INCOMP,
             "-blp_synthetic_kind regression: problem %s needs classes: use -blp_synthetic_kind sign",
             ((PetscObject)blp)->type_name);
  PetscCheck(!IsText(blp) || !blp->targets, comm, PETSC_ERR_ARG_INCOMP,
             "-blp_data synthetic_text has classes, and problem %s needs targets: use -blp_data synthetic",
             ((PetscObject)blp)->type_name);
  for (int s = 0; s < 3; s++) {
    if ((s == BLP_VAL && blp->folds.F) || (s == BLP_TEST && !n[s])) continue;
    PetscCall(DataSetDestroy(&blp->set[s]));
    PetscCall(MakePart(blp, s, &blp->set[s]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One source, split; an explicit -blp_test beside it takes the place of the split's own test part. */
static PetscErrorCode LoadAndSplit(BLP blp)
{
  DataSet all;

  PetscFunctionBegin;
  PetscCheck(
      !blp->path[0][0] && !blp->path[1][0], PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_INCOMP,
      "-blp_data and -blp_train or -blp_val exclude each other: give one source to split, or separate files");
  if (IsSynthetic(blp)) {
    PetscCall(MakeSynthetic(blp));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(CreateReader(blp, &all));
  PetscCall(DataSetLoad(all, blp->source));
  if (blp->folds.F) { /* BLPSetUpFolds_Private() deals it out */
    blp->set[BLP_TRAIN] = all;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(DataSetSplit(all, &blp->split, blp->set));
  PetscCall(DataSetDestroy(&all));
  PetscCheck(blp->set[BLP_VAL] || blp->upper_by_training, PetscObjectComm((PetscObject)blp),
             PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_split %s leaves no validation samples: give at least two fractions", blp->split.kind);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads one of several files as the training set was read; takes those, where it is the same file. */
static PetscErrorCode LoadOne(BLP blp, int s)
{
  PetscBool text;

  PetscFunctionBegin;
  PetscCall(DataSetDestroy(&blp->set[s]));
  if (s != BLP_TRAIN && blp->path[BLP_TRAIN][0] && !strcmp(blp->path[s], blp->path[BLP_TRAIN])) {
    PetscCall(PetscObjectReference((PetscObject)blp->set[BLP_TRAIN]));
    blp->set[s] = blp->set[BLP_TRAIN];
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(CreateReader(blp, &blp->set[s]));
  if (blp->set[BLP_TRAIN] && s != BLP_TRAIN) {
    PetscInt base;
    PetscCall(DataSetGetIndexBase(blp->set[BLP_TRAIN], &base));
    PetscCall(DataSetSetIndexBase(blp->set[s], base));
  }
  PetscCall(DataSetLoad(blp->set[s], blp->path[s]));
  PetscCall(DataSetIsFormat(blp->set[s], DATASETTEXT, &text));
  PetscCheck(
      !text, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONG,
      "-blp_%s %s is a text corpus, which has its own vocabulary: give one corpus as -blp_data and split it",
      BLPSets[s], blp->path[s]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The first so many training samples. */
static PetscErrorCode TakeFirst(BLP blp)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  PetscInt n, nlocal, end;
  PetscBool *keep;
  DataSet part;

  PetscFunctionBegin;
  PetscCall(DataSetGetSizes(blp->set[BLP_TRAIN], &n, NULL, NULL));
  PetscCheck(blp->train_first > 0 && blp->train_first <= n, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_train_first %" PetscInt_FMT ": %s has %" PetscInt_FMT
             " samples: 1 to so many, or 0 for all",
             blp->train_first, blp->path[BLP_TRAIN], n);
  PetscCall(DataSetGetRows(blp->set[BLP_TRAIN], &nlocal, NULL, NULL, NULL, NULL));
  PetscCallMPI(MPI_Scan(&nlocal, &end, 1, MPIU_INT, MPI_SUM, comm));
  PetscCall(PetscMalloc1(nlocal + 1, &keep));
  for (PetscInt i = 0; i < nlocal; i++) keep[i] = (PetscBool)(end - nlocal + i < blp->train_first);
  PetscCall(DataSetSelect(blp->set[BLP_TRAIN], keep, &part));
  PetscCall(PetscFree(keep));
  PetscCall(DataSetDestroy(&blp->set[BLP_TRAIN]));
  blp->set[BLP_TRAIN] = part;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLoadData_Private(BLP blp)
{
  PetscFunctionBegin;
  if (blp->source[0]) {
    PetscCall(LoadAndSplit(blp));
  } else {
    PetscCheck(!blp->folds.F, PetscObjectComm((PetscObject)blp), PETSC_ERR_USER_INPUT,
               "-blp_folds %" PetscInt_FMT ": give the samples to deal out as one source, -blp_data FILE",
               blp->folds.F);
    PetscCheck(blp->path[0][0] && (blp->path[1][0] || blp->upper_by_training),
               PetscObjectComm((PetscObject)blp), PETSC_ERR_USER_INPUT,
               "no data: give -blp_train FILE and -blp_val FILE (and -blp_test FILE), or -blp_data FILE with "
               "-blp_split, or -blp_data synthetic or synthetic_text");
    PetscCall(LoadOne(blp, BLP_TRAIN));
    if (blp->path[BLP_VAL][0]) PetscCall(LoadOne(blp, BLP_VAL));
  }
  if (blp->path[BLP_TEST][0]) PetscCall(LoadOne(blp, BLP_TEST));
  if (blp->path[BLP_TRAIN][0] && blp->train_first) PetscCall(TakeFirst(blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetLabels_Private(BLP blp)
{
  PetscFunctionBegin;
  for (int s = 0; s < 3; s++)
    if (blp->set[s]) PetscCall(DataSetSetTargets(blp->set[s], blp->targets));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Scales all sets as the training samples say; a set that is used twice is scaled once. */
PetscErrorCode BLPScaleData_Private(BLP blp)
{
  const DataSet *const set = blp->set;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&blp->shift));
  PetscCall(VecDestroy(&blp->scale));
  PetscCall(DataSetComputeScaling(set[BLP_TRAIN], blp->scaling, &blp->shift, &blp->scale));
  for (int s = 0; s < 3; s++) {
    PetscBool again = PETSC_FALSE;
    for (int r = 0; r < s; r++) again = (PetscBool)(again || set[r] == set[s]);
    if (set[s] && !again) PetscCall(DataSetApplyScaling(set[s], blp->shift, blp->scale));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
